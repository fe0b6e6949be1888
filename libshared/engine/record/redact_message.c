/* redact_message.c - secrets out of a message, field by field; see redact.h.
 *
 * A message without secrets, which is nearly every one, is read and left as it is: nothing is
 * copied or allocated but for lists of records.
 */
#include "engine/record/redact.h"

#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "data/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum reading { PLAIN, KEPT, SHELL, WORDS, PAIRS, COMMAND, ACT, PACKED };

struct redacted_part {
    struct bytes bytes;
    struct redacted_part *next;
};

/* A message under way. */
struct way {
    const struct redactor *redactor;
    struct redacted *to;
};

static const struct {
    const char *message, *field;
    enum reading reading;
} rows[] = {
#define FIELD(message, field, reading) {#message, #field, reading},
#include "engine/record/redact.def"
#undef FIELD
};

void redacted_close(struct redacted *r)
{
    while (r->parts) {
        struct redacted_part *part = r->parts;
        r->parts = part->next;
        bytes_close(&part->bytes);
        free(part);
    }
    r->count = 0;
}

static enum reading reading_of(const struct message *m, const struct field *f)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].field[0] == f->name[0] && !strcmp(rows[i].field, f->name) &&
            !strcmp(rows[i].message, m->name))
            return rows[i].reading;
    return f->type == FIELD_BLOB ? KEPT : PLAIN;
}

static enum secret_form form_of(enum reading reading)
{
    return reading == SHELL   ? SECRET_SHELL
           : reading == WORDS ? SECRET_WORDS
           : reading == PAIRS ? SECRET_PAIR
                              : SECRET_PLAIN;
}

/* A buffer that lives as long as the message. */
static struct bytes *new_part(struct way *w, size_t bound, struct err *err)
{
    struct redacted_part *part = mem_new(1, sizeof *part);
    if (!part) {
        err_set(err, ERR_MEMORY, "no memory to redact a record");
        return NULL;
    }
    *part = (struct redacted_part){.bytes = bytes_open(bound), .next = w->to->parts};
    w->to->parts = part;
    return &part->bytes;
}

static bool has_secret(enum secret_form form, struct view text)
{
    struct secret_search search = secret_search(form, text);
    struct secret s;
    return secret_next(&search, &s);
}

/* Of a text the bytes that its bound leaves, up to a whole character. */
static struct view cut(struct view text, size_t most)
{
    if (text.len <= most)
        return text;
    while (most && (text.data[most] & 0xc0) == 0x80)
        most--;
    return (struct view){text.data, most};
}

/* Room for a text of which every fifth byte is a secret. */
static size_t bound_of(struct view text)
{
    return 64 * (text.len + 1);
}

static int redact_view(struct way *w, enum secret_form form, size_t most, struct view *v,
                       struct err *err)
{
    if (has_secret(form, *v)) {
        struct bytes *to = new_part(w, bound_of(*v), err);
        if (!to || redact_text(w->redactor, form, *v, to, &w->to->count, err))
            return -1;
        *v = bytes_view(to);
    }
    *v = cut(*v, most);
    return 0;
}

static int redact_array(struct way *w, enum secret_form form, size_t most, char *text,
                        struct err *err)
{
    struct view v = view_of(text);
    if (!has_secret(form, v))
        return 0;
    SCOPED(bytes_close) struct bytes to = bytes_open(bound_of(v));
    if (redact_text(w->redactor, form, v, &to, &w->to->count, err))
        return -1;
    text_copy_view(text, most + 1, bytes_view(&to));
    return 0;
}

/* Words with a NUL between them become words with a blank between them. Whether it is cut is told
 * by its full length, so that is the one of what is left of it. */
static int redact_command(struct way *w, size_t most, struct event *event, struct err *err)
{
    bool is_words = event->argv_words > 0;
    struct view *v = &event->command;
    int64_t before = w->to->count;
    if (redact_view(w, is_words ? SECRET_WORDS : SECRET_SHELL, bound_of(*v), v, err))
        return -1;
    if (w->to->count != before)
        event->command_bytes = (int64_t)v->len;
    if (is_words && v->len && memchr(v->data, 0, v->len)) {
        struct view kept = cut(*v, most);
        struct bytes *to = new_part(w, kept.len, err);
        if (!to || bytes_add(to, kept.data, kept.len, err))
            return -1;
        for (size_t i = 0; i < to->len; i++)
            to->data[i] = to->data[i] ? to->data[i] : ' ';
        *v = bytes_view(to);
    }
    *v = cut(*v, most);
    return 0;
}

static bool any_has_secret(enum secret_form form, struct list texts)
{
    for (struct view text; list_next_text(&texts, &text);)
        if (has_secret(form, text))
            return true;
    return false;
}

static int redact_texts(struct way *w, enum secret_form form, size_t most, struct list *texts,
                        struct err *err)
{
    struct list rest = *texts, kept = {0};
    if (!any_has_secret(form, rest))
        return 0;
    struct bytes *to = new_part(w, 64 * (texts->raw.len + 1), err);
    SCOPED(bytes_close) struct bytes one = bytes_open(64 * (texts->raw.len + 1));
    for (struct view text; list_next_text(&rest, &text);) {
        bytes_clear(&one);
        if (!to || redact_text(w->redactor, form, text, &one, &w->to->count, err) ||
            list_add_text(to, &kept, cut(bytes_view(&one), most), err))
            return -1;
    }
    if (!to)
        return -1;
    *texts = kept;
    return 0;
}

/* The words as one text, a NUL behind each, so that an option is seen with the word behind it. */
static int redact_words(struct way *w, size_t most, struct list *words, struct err *err)
{
    struct list rest = *words, kept = {0};
    SCOPED(bytes_close) struct bytes joined = bytes_open(words->raw.len + words->count + 1);
    for (struct view text; list_next_text(&rest, &text);)
        if (bytes_add(&joined, text.data, text.len, err) || bytes_add(&joined, "", 1, err))
            return -1;
    struct view all = bytes_view(&joined);
    if (!has_secret(SECRET_WORDS, all))
        return 0;
    struct bytes *to = new_part(w, bound_of(all), err);
    SCOPED(bytes_close) struct bytes clean = bytes_open(bound_of(all));
    if (!to || redact_text(w->redactor, SECRET_WORDS, all, &clean, &w->to->count, err))
        return -1;
    for (size_t at = 0; at < clean.len;) {
        size_t len = strlen((const char *)clean.data + at);
        if (list_add_text(to, &kept, cut((struct view){clean.data + at, len}, most), err))
            return -1;
        at += len + 1;
    }
    *words = kept;
    return 0;
}

static int walk(struct way *w, const struct message *m, void *in, struct err *err);

static int redact_records(struct way *w, const struct field *f, struct list *records,
                          struct err *err)
{
    uint64_t room[1024];
    struct list rest = *records, kept = {0};
    int64_t before = w->to->count;
    assert(f->record->size <= sizeof room);
    if (!records->count)
        return 0;
    struct bytes *to = new_part(w, 64 * (records->raw.len + 1), err);
    if (!to)
        return -1;
    while (list_next(&rest, f->record, room))
        if (walk(w, f->record, room, err) || list_add(to, &kept, f->record, room, err))
            return -1;
    if (w->to->count != before)
        *records = kept;
    return 0;
}

static int redact_reply(struct way *w, size_t most, struct view *v, struct err *err)
{
    int64_t before = w->to->count;
    struct bytes *to = v->len ? new_part(w, most, err) : NULL;
    if (!v->len)
        return 0;
    if (!to || redact_packed(w->redactor, *v, to, &w->to->count, err))
        return -1;
    if (w->to->count != before)
        *v = bytes_view(to);
    return 0;
}

/* An act that grows beyond its bound is cut within its texts instead. */
static int redact_act(struct way *w, size_t most, struct view *v, struct err *err)
{
    struct act act;
    int64_t before = w->to->count;
    if (!v->len)
        return 0;
    if (schema_decode(&message_act, *v, SCHEMA_LENIENT, &act, err) ||
        walk(w, &message_act, &act, err))
        return -1;
    if (w->to->count == before)
        return 0;
    struct bytes *to = new_part(w, most, err);
    if (!to)
        return -1;
    if (schema_encode(&message_act, &act, to, err)) {
        if (err->code != ERR_OVERLOADED)
            return -1;
        return redact_reply(w, most, v, err);
    }
    *v = bytes_view(to);
    return 0;
}

static int redact_blob(struct way *w, enum reading reading, const struct field *f, struct view *v,
                       struct err *err)
{
    if (reading == ACT)
        return redact_act(w, (size_t)f->max, v, err);
    if (reading == PACKED)
        return redact_reply(w, (size_t)f->max, v, err);
    return redact_view(w, form_of(reading), (size_t)f->max, v, err);
}

/* What is empty, or no text, needs no look. */
static bool holds_text(const struct field *f, const void *at)
{
    switch (f->type) {
    case FIELD_TEXT:
        return *(const char *)at;
    case FIELD_LONG:
    case FIELD_BLOB:
        return ((const struct view *)at)->len;
    case FIELD_TEXTS:
    case FIELD_RECORDS:
        return ((const struct list *)at)->count;
    default:
        return f->type == FIELD_RECORD;
    }
}

static int redact_field(struct way *w, const struct message *m, const struct field *f, void *in,
                        struct err *err)
{
    void *at = (uint8_t *)in + f->offset;
    size_t most = (size_t)f->max;
    if (!holds_text(f, at))
        return 0;
    enum reading reading = reading_of(m, f);
    if (reading == KEPT)
        return 0;
    switch (f->type) {
    case FIELD_TEXT:
        return redact_array(w, form_of(reading), most, at, err);
    case FIELD_LONG:
        return reading == COMMAND ? redact_command(w, most, in, err)
                                  : redact_view(w, form_of(reading), most, at, err);
    case FIELD_BLOB:
        return redact_blob(w, reading, f, at, err);
    case FIELD_RECORD:
        return walk(w, f->record, at, err);
    case FIELD_TEXTS:
        return reading == WORDS ? redact_words(w, most, at, err)
                                : redact_texts(w, form_of(reading), most, at, err);
    case FIELD_RECORDS:
        return redact_records(w, f, at, err);
    default:
        return 0;
    }
}

static int walk(struct way *w, const struct message *m, void *in, struct err *err)
{
    size_t count;
    const struct field *fields = m->rows(&count);
    for (size_t i = 0; i < count; i++)
        if (redact_field(w, m, &fields[i], in, err))
            return -1;
    return 0;
}

int redact_message(const struct redactor *redactor, const struct message *message, void *in,
                   struct redacted *redacted, struct err *err)
{
    struct way w = {redactor, redacted};
    return walk(&w, message, in, err);
}
