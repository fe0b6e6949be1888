/* fuzz_validate.c - any bytes as the body of a verdict_request, through all that the guardian does
 * with one but writing it down: decode, judge, look for an approval, sign, make the record.
 *
 * An answer is a signed verdict on this very act, or an error; yes is said only to an agent that is
 * approved, and never to what was not understood. With libFuzzer, what decodes is mutated field by
 * field, for a byte that changes at random mostly breaks the frame.
 */
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "guardian/approving.h"
#include "guardian/verdicts.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM_BYTES = 2 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct stage {
    struct service service;
    struct guardian guardian;
    struct registry *registry;
    struct bytes scratch, packed;
};

static void on_durable(void *context, uint64_t seq)
{
    (void)context, (void)seq;
}

static void on_failed(void *context, const struct err *why)
{
    (void)context, (void)why;
    abort();
}

/* The journal takes one record, that of the rules; its directory is gone as soon as it is open. */
static void open_journal(struct stage *s)
{
    struct err err;
    struct journal_found found;
    char path[] = "/tmp/corral-fuzz-XXXXXX";
    const char *made = mkdtemp(path);
    assert(made);
    SCOPED(fd_close) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert(dir >= 0);
    struct outbox_options options = {.loop = s->service.loop,
                                     .dirfd = dir,
                                     .source = "guardian@fuzz",
                                     .bound_bytes = 1 << 20,
                                     .degraded_ms = 1000,
                                     .durable = on_durable,
                                     .failed = on_failed};
    int failed = outbox_new(&options, &s->service.outbox, &found, &err) ||
                 keeper_new(&s->service, 0, NULL, NULL, NULL, &s->guardian.keeper, &err) ||
                 dir_remove(AT_FDCWD, path, &err);
    assert(!failed && keeper_book(s->guardian.keeper));
}

static struct stage *open_stage(void)
{
    static struct stage stage;
    static const struct service_table table = {.name = "guardian"};
    struct stage *s = &stage;
    struct err err;
    if (s->registry)
        return s;
    s->scratch = bytes_open(ROOM_BYTES);
    s->packed = bytes_open(ROOM_BYTES);
    s->service.table = &table;
    s->guardian.service = &s->service;
    s->guardian.conditions = bytes_open(4096);
    config_defaults(&s->service.config);
    keys_sign_make(&s->guardian.key);
    struct registry_agent agent = {.tenant = "acme", .name = "coder"};
    struct registry_parts parts = {.agents = &agent, .agent_count = 1};
    int failed = loop_new(&s->service.loop, &err) || registry_make(&parts, 0, &s->registry, &err);
    assert(!failed);
    open_journal(s);
    return s;
}

static void check_verdict(struct stage *s, const struct act *act, const struct judgement *j,
                          const struct verdict *v)
{
    struct err err;
    uint8_t hash[ACT_HASH_BYTES];
    int failed =
        act_hash(act, hash, &err) || verdict_check(v, s->guardian.key.public_key, hash, &err);
    assert(!failed);
    assert(v->approved == (j->decision == DECISION_ALLOW));
    assert(!v->approved || (!strcmp(act->tenant, "acme") && !strcmp(act->agent, "coder")));
    assert(!v->approved || !j->unanalysable);
    bytes_clear(&s->packed);
    failed = schema_encode(&message_verdict, v, &s->packed, &err);
    assert(!failed);
}

static void check_record(struct stage *s, const struct verdict_request *q,
                         const struct judgement *j, const struct verdict *v)
{
    struct err err;
    struct event event = {.phase = "event", .kind = "guardian_approval"};
    SCOPED(verdict_shown_close) struct verdict_shown shown = {0};
    SCOPED(redacted_close) struct redacted redacted = {0};
    int failed = verdicts_fill(&q->act, q->principal, q->tags, v, &shown, &event, &err) ||
                 verdicts_fill_aside(j, &shown, &event, &err);
    assert(!failed);
    bytes_clear(&s->packed);
    failed = redact_message(outbox_redactor(s->service.outbox), &message_event, &event, &redacted,
                            &err) || /* as outbox_append does */
             schema_encode(&message_event, &event, &s->packed, &err);
    assert(!failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct verdict_request q;
    struct stage *s = open_stage();
    struct err err;
    struct judgement j;
    struct verdict v;
    struct approval a;
    bool is_new = false, is_named = false;
    bytes_clear(&s->scratch);
    if (schema_decode(&message_verdict_request, (struct view){data, len}, SCHEMA_STRICT, &q, &err))
        return 0;
    if (verdicts_judge(&s->guardian, s->registry, &q.act, q.tags, &j, &err)) {
        assert(err.code == ERR_INVALID);
        return 0;
    }
    int failed =
        j.decision == DECISION_REQUIRE_APPROVAL &&
        approving_look(&s->guardian, &q.act, q.principal, &j, &a, &is_named, &is_new, &err);
    assert(!failed);
    if (verdicts_make(&s->guardian, &q.act, &j, is_named ? &a : NULL, &s->scratch, &v, &err))
        return 0; /* an act as large as a frame */
    check_verdict(s, &q.act, &j, &v);
    check_record(s, &q, &j, &v);
    return 0;
}

#ifdef CORRAL_FUZZ
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed);

enum { TEXT_ROOM = 4096 };

/* Mutates one text. */
static struct view change(struct view text, uint8_t *to, size_t room)
{
    size_t len = text.len < room ? text.len : room;
    if (len)
        memcpy(to, text.data, len);
    return (struct view){to, LLVMFuzzerMutate(to, len, room)};
}

/* Puts a changed copy of the n-th text of a list in its place. */
static void change_in_list(struct list *list, unsigned n, struct bytes *store, uint8_t *room)
{
    struct err err;
    struct list rest = *list, made = {0};
    struct view text;
    unsigned count = list->count ? list->count : 1;
    for (unsigned i = 0; list_next_text(&rest, &text); i++) {
        struct view now = i == n % count ? change(text, room, TEXT_ROOM) : text;
        if (list_add_text(store, &made, now, &err))
            return;
    }
    if (!list->count && list_add_text(store, &made, change(view_of("A=b"), room, TEXT_ROOM), &err))
        return;
    *list = made;
}

static void change_field(struct act *act, unsigned seed, struct bytes *store, uint8_t *room)
{
    unsigned n = seed >> 4;
    switch (seed % 8) {
    case 0:
        change_in_list(&act->argv, n, store, room);
        break;
    case 1:
        change_in_list(&act->env, n, store, room);
        break;
    case 2:
        act->rules = change(act->rules, room, TEXT_ROOM);
        schema_mark(&message_act, act, "rules");
        break;
    case 3: {
        struct view cwd = change(view_of(act->cwd), room, sizeof act->cwd - 1);
        text_copy_view(act->cwd, sizeof act->cwd, cwd);
        break;
    }
    default:
        act->script = change(act->script, room, TEXT_ROOM);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed)
{
    static struct verdict_request q;
    static uint8_t text[TEXT_ROOM];
    struct err err;
    struct view frame = {data, len};
    if (seed % 16 == 0 || schema_decode(&message_verdict_request, frame, SCHEMA_STRICT, &q, &err))
        return LLVMFuzzerMutate(data, len, room);
    SCOPED(bytes_close) struct bytes store = bytes_open(ROOM_BYTES);
    SCOPED(bytes_close) struct bytes packed = bytes_open(ROOM_BYTES);
    change_field(&q.act, seed / 16, &store, text);
    if (schema_encode(&message_verdict_request, &q, &packed, &err) || packed.len > room)
        return LLVMFuzzerMutate(data, len, room);
    memcpy(data, packed.data, packed.len);
    return packed.len;
}
#endif
