/* corral audit verify: is the record whole and as it was signed? */
#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/audit.h"
#include "cli/print.h"
#include "cli/record.h"
#include "cli/units.h"
#include "data/json.h"
#include "data/pack.h"
#include "engine/record/verify.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 40, JSON_BYTES = 16384 };

static const char NO_KEY[] =
    "who signed: the key is taken from the database itself; --pub says which one is right";
static const char NO_WITNESS[] =
    "whether this is an older copy: compare records and root with what you noted before";

/* A check that was run, and how long it took. */
struct run {
    struct verified is;
    bool has_key;
    double seconds;
};

static void show_progress(void *context, int64_t done, int64_t all)
{
    int64_t *percent = context, now = all ? 100 * done / all : 100;
    if (now == *percent)
        return;
    *percent = now;
    char bar[BAR_WIDTH + 1] = "";
    memset(bar, '#', (size_t)(BAR_WIDTH * now / 100));
    fprintf(stderr, "\r[%-*s] %3lld %%  %lld records", BAR_WIDTH, bar, (long long)now,
            (long long)done);
}

static void end_progress(void)
{
    fprintf(stderr, "\r%*s\r", BAR_WIDTH + 40, "");
}

static double per_second(const struct run *r)
{
    return r->seconds > 0 ? (double)r->is.records / r->seconds : 0;
}

static const char *result_name(enum verify_result result)
{
    switch (result) {
    case VERIFY_OK:
        return "ok";
    case VERIFY_TAMPERED:
        return "tampered";
    case VERIFY_GAP:
        return "gap";
    case VERIFY_SIGNATURE:
        return "signature";
    }
    return "tampered";
}

static void pack_word(struct pack *p, const char *name, const char *text)
{
    pack_text(p, name);
    pack_text(p, text);
}

static void pack_number(struct pack *p, const char *name, int64_t number)
{
    pack_text(p, name);
    pack_int(p, number);
}

static int print_as_json(const struct run *r, struct err *err)
{
    SCOPED(bytes_close) struct bytes packed = bytes_open(JSON_BYTES);
    SCOPED(bytes_close) struct bytes text = bytes_open(JSON_BYTES);
    const struct verified *v = &r->is;
    char root[2 * MERKLE_HASH_BYTES + 1];
    text_hex(root, v->root.bytes, sizeof v->root.bytes);
    struct pack p = pack_begin(&packed, err);
    pack_map(&p, 16);
    pack_word(&p, "result", result_name(v->result));
    pack_number(&p, "exit_code", v->result);
    pack_word(&p, "kind", v->kind);
    pack_number(&p, "gseq", v->gseq);
    pack_word(&p, "detail", v->detail);
    pack_number(&p, "records", v->records);
    pack_word(&p, "root", root);
    pack_number(&p, "checkpoints", v->checkpoints);
    pack_number(&p, "signers", v->signers);
    pack_number(&p, "sources", v->sources);
    pack_number(&p, "size_bytes", v->bytes);
    pack_text(&p, "seconds");
    pack_real(&p, r->seconds);
    pack_text(&p, "records_per_second");
    pack_real(&p, per_second(r));
    pack_number(&p, "signed_ns", v->signed_ns);
    pack_word(&p, "key", v->newest_key);
    pack_text(&p, "unchecked");
    pack_array(&p, r->has_key ? 1 : 2);
    if (!r->has_key)
        pack_text(&p, NO_KEY);
    pack_text(&p, NO_WITNESS);
    if (pack_end(&p) || json_from_pack(bytes_view(&packed), 2, &text, err))
        return -1;
    printf("%s\n", (const char *)text.data);
    return 0;
}

static int print_facts(const struct cli *cli, const struct run *r, struct err *err)
{
    const struct verified *v = &r->is;
    char root[2 * MERKLE_HASH_BYTES + 1], size[UNITS_SHOWN_BYTES], when[32] = "";
    text_hex(root, v->root.bytes, sizeof v->root.bytes);
    units_show_bytes(size, v->bytes);
    if (v->signed_ns)
        clock_show(when, v->signed_ns);
    bool is_whole = v->result == VERIFY_OK || v->result == VERIFY_GAP;
    return print_fact(cli, "records", err, "%lld%s of %lld sources", (long long)v->records,
                      is_whole ? "" : ", and no further,", (long long)v->sources) ||
                   print_fact(cli, "root", err, "%s", root) ||
                   print_fact(cli, "signed", err, "%s", when) ||
                   print_fact(cli, "key", err, "%s", v->newest_key) ||
                   print_fact(cli, "checkpoints", err, "%lld, of %lld keys",
                              (long long)v->checkpoints, (long long)v->signers) ||
                   print_fact(cli, "size", err, "%s", size) ||
                   print_fact(cli, "time", err, "%.2f s, %.0f records/s", r->seconds,
                              per_second(r)) ||
                   (!r->has_key && print_fact(cli, "not checked", err, "%s", NO_KEY)) ||
                   print_fact(cli, "not checked", err, "%s", NO_WITNESS)
               ? -1
               : 0;
}

static int print_run(const struct cli *cli, const struct run *r, struct err *err)
{
    const struct verified *v = &r->is;
    if (cli->json)
        return print_as_json(r, err);
    if (v->result == VERIFY_OK && !cli->quiet)
        print_line("The record is intact.");
    if (v->result != VERIFY_OK && v->gseq)
        print_line("%s at record %lld: %s: %s", result_name(v->result), (long long)v->gseq, v->kind,
                   v->detail);
    else if (v->result != VERIFY_OK)
        print_line("%s: %s: %s", result_name(v->result), v->kind, v->detail);
    return cli->quiet ? 0 : print_facts(cli, r, err);
}

static int verify(const struct cli *cli, struct verify_options *options, struct err *err)
{
    struct run r = {.has_key = options->has_key};
    int64_t percent = -1, begin = clock_boot_ns();
    if (!cli->json && !cli->quiet && isatty(STDERR_FILENO)) {
        options->progress = show_progress;
        options->context = &percent;
    }
    int failed = verify_record(options, &r.is, err);
    if (percent >= 0)
        end_progress();
    if (failed)
        return record_unreadable(cli, err);
    r.seconds = (double)(clock_boot_ns() - begin) / 1e9;
    return print_run(cli, &r, err) ? -1 : (int)r.is.result;
}

int audit_verify(struct cli *cli, int argc, char **argv, struct err *err)
{
    const char *file = NULL, *key = NULL;
    struct verify_options how = {0};
    char path[256];
    const struct option options[] = {
        {"db", 0, "FILE", option_text, &file, "The database; default DIR/audit/audit.db."},
        {"pub", 0, "KEY", option_text, &key,
         "A file like checkpoint.pub, kept elsewhere, or a key in hex."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    how.path = path;
    how.has_key = key;
    if ((key && record_key(key, how.origin, how.public_key, err)) ||
        record_database(cli, file, path, err))
        return record_unreadable(cli, err);
    return verify(cli, &how, err);
}
