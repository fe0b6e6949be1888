/* The wall, from inside: a real sandbox with the real corral-init, and what an allowed program in
 * it can and cannot do. Where bubblewrap cannot run at all the tests skip and say so.
 */
#include "manager/runtime/process.h"

#include "base/clock.h"
#include "base/file.h"
#include "engine/cgroup/cgroup_usage.h"
#include "engine/process/pid.h"
#include "tests/lib/init_driver.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

enum { MIB = 1 << 20, TEST_UID = 199001 };

static char run_dir[64];
static struct runtime_host host;

static int64_t soon(void)
{
    return clock_boot_ns() + 30 * (int64_t)S_NS;
}

/* A sandbox and the driver that speaks to its init. */
struct box {
    struct sandbox_started started;
    struct driver driver;
    uint32_t execs;
    struct cgroup_usage used; /* by the last exec; -1 where the host does not count */
};

static struct sandbox_spec spec_of(const char *sandbox_id)
{
    struct sandbox_spec spec = {.hostname = "box",
                                .limits = {.memory_bytes = 128 * MIB, .pids = 64},
                                .workspace_bytes = 2 * MIB,
                                .tmp_bytes = MIB,
                                .host_uid = geteuid() ? -1 : TEST_UID};
    snprintf(spec.sandbox_id, sizeof spec.sandbox_id, "%s", sandbox_id);
    spec.allow_unenforced = CGROUP_LIMITS & ~host.cgroups.limits;
    return spec;
}

static struct sandbox_handle handle_of(const struct sandbox_spec *spec,
                                       const struct sandbox_started *started)
{
    struct sandbox_handle handle = {.init_pid = started->init_pid,
                                    .init_start_ticks = started->init_start_ticks,
                                    .launcher_pid = started->launcher_pid,
                                    .host_uid = spec->host_uid};
    memcpy(handle.sandbox_id, spec->sandbox_id, sizeof handle.sandbox_id);
    memcpy(handle.token, started->token, sizeof handle.token);
    return handle;
}

/* What the running test started and may leave behind when it fails. */
static struct sandbox_handle begun[2];
static size_t begun_count;

static void start_with(struct box *box, const struct sandbox_spec *spec)
{
    struct err err;
    *box = (struct box){0};
    if (runtime_process.start(&host, spec, soon(), &box->started, &err))
        fail_msg("%s: %s", err_name(err.code), err.text);
    assert_true(begun_count < COUNT(begun));
    begun[begun_count++] = handle_of(spec, &box->started);
    assert_int_equal(box->started.newest_exec, 0);
    box->driver = (struct driver){.listener = -1, .line = line_open(box->started.socket)};
}

static void start(struct box *box, const char *sandbox_id)
{
    struct sandbox_spec spec = spec_of(sandbox_id);
    start_with(box, &spec);
}

static bool exists(const char *sandbox_id)
{
    char path[256];
    snprintf(path, sizeof path, "%s/s/%s", run_dir, sandbox_id);
    struct cgroup cg;
    struct err err;
    assert_int_equal(cgroup_host_find(&host.cgroups, sandbox_id, &cg, &err), 0);
    bool found = !access(path, F_OK);
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++)
        found |= cg.path[tree][0] && !access(cg.path[tree], F_OK);
    return found;
}

/* Stops it and proves that nothing is left: no process, directory, cgroup, zombie. */
static void stop(struct box *box, const char *sandbox_id)
{
    struct err err;
    struct sandbox_spec spec = spec_of(sandbox_id);
    struct sandbox_handle handle = handle_of(&spec, &box->started);
    line_close(&box->driver.line);
    if (runtime_process.stop(&host, &handle, soon(), &err))
        fail_msg("%s: %s", err_name(err.code), err.text);
    assert_false(exists(sandbox_id));
    assert_int_equal(pid_wait_dead(box->started.pidfd, clock_boot_ns(), &err), 0);
    fd_close(&box->started.pidfd);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* Runs a shell line as the manager does: gate, cgroup of its own, output, end. */
static struct outcome run(struct box *box, const char *line)
{
    struct err err;
    struct cgroup cg;
    pid_t pid;
    uint32_t id = ++box->execs;
    SCOPED(bytes_close) struct bytes argv = bytes_open(16384);
    assert_int_equal(bytes_addf(&argv, &err, "sh%c-c%c%s", 0, 0, line), 0);
    struct frame_spawn order = driver_order(id, (struct view){argv.data, argv.len + 1});
    order.env = TEXTS_OF("PATH=/usr/bin:/bin:/usr/sbin:/sbin\0HOME=/workspace");
    order.cwd = view_of("/workspace");
    SCOPED(fd_close) int pidfd = driver_spawn(&box->driver, &order);
    bool own = host.cgroups.mode != CGROUP_NONE;
    if (own) {
        assert_int_equal(pid_of_pidfd(pidfd, &pid, &err), 0);
        assert_int_equal(cgroup_make_exec(&box->started.cgroup, id, &cg, &err), 0);
        assert_int_equal(cgroup_add(&cg, pid, &err), 0);
    }
    struct outcome o = outcome_open();
    driver_say(&box->driver, open_gate, .id = id);
    driver_finish(&box->driver, id, &o);
    driver_say(&box->driver, forget, .id = id);
    if (own) {
        struct cgroup_meter meter;
        assert_int_equal(cgroup_meter_open(&cg, &meter, &err), 0);
        assert_int_equal(cgroup_meter_read(&meter, &box->used, &err), 0);
        cgroup_meter_close(&meter);
        assert_int_equal(cgroup_kill(&cg, &err), 0);
        assert_int_equal(cgroup_wait_empty(&cg, soon(), &err), 0);
        assert_int_equal(cgroup_remove(&cg, soon(), &err), 0);
    }
    return o;
}

static const char *text_of(const struct outcome *o, int stream)
{
    return o->out[stream].len ? (const char *)o->out[stream].data : "";
}

static void assert_says(struct box *box, const char *line, const char *expected)
{
    SCOPED(outcome_close) struct outcome o = run(box, line);
    if (strcmp(text_of(&o, 0), expected))
        fail_msg("%s\n  said     %s\n  expected %s\n  stderr   %s", line, text_of(&o, 0), expected,
                 text_of(&o, 1));
}

/* The line must fail and say why. */
static void assert_refused(struct box *box, const char *line, const char *why)
{
    SCOPED(outcome_close) struct outcome o = run(box, line);
    if (o.end.signalled || !o.end.status || !strstr(text_of(&o, 1), why))
        fail_msg("%s\n  ended %lld%s, stdout %s, stderr %s; expected a refusal with '%s'", line,
                 (long long)o.end.status, o.end.signalled ? " (signal)" : "", text_of(&o, 0),
                 text_of(&o, 1), why);
}

static void is_a_nobody_without_capabilities(void **state)
{
    (void)state;
    struct box box;
    start(&box, "sb_who");
    assert_says(&box, "id", "uid=1000(agent) gid=1000(agent) groups=1000(agent)\n");
    assert_says(&box, "grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status",
                "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
                "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n"
                "Seccomp:\t2\n");
    assert_says(&box, "hostname; cat /etc/hostname; pwd; echo $HOME",
                "box\nbox\n/workspace\n/workspace\n");
    assert_says(&box, "cat /proc/1/comm; set -- /proc/[0-9]*; echo $#", "init\n2\n");
    stop(&box, "sb_who");
}

static void has_a_host_uid_of_its_own(void **state)
{
    (void)state;
    if (geteuid()) {
        print_message("SKIPPED: only root can give a sandbox a uid of its own\n");
        skip();
    }
    struct box box;
    char text[256];
    start(&box, "sb_uid");
    driver_proc(text, box.started.init_pid, "status", "Uid:");
    assert_string_equal(text, "199001\t199001\t199001\t199001");
    driver_proc(text, box.started.init_pid, "status", "Gid:");
    assert_string_equal(text, "199001\t199001\t199001\t199001");
    driver_proc(text, box.started.init_pid, "status", "Groups:");
    assert_string_equal(text, "");
    driver_proc(text, box.started.launcher_pid, "status", "Uid:");
    assert_string_equal(text, "199001\t199001\t199001\t199001");
    stop(&box, "sb_uid");
}

static void has_no_network(void **state)
{
    (void)state;
    struct box box;
    start(&box, "sb_net");
    assert_says(&box,
                "ls /sys/class/net 2>/dev/null; tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '",
                "lo\n");
    assert_says(&box, "cat /proc/net/route | tail -n +2", "");
    assert_refused(&box, "exec 3<>/dev/tcp/192.0.2.1/80", "");
    stop(&box, "sb_net");
}

static void sees_only_usr_and_its_own(void **state)
{
    (void)state;
    char flag[] = "/var/tmp/corral-flag-XXXXXX", line[256];
    SCOPED(fd_close) int fd = mkstemp(flag);
    assert_true(fd >= 0 && !fchmod(fd, 0644) && write(fd, "flag\n", 5) == 5);
    struct box box;
    start(&box, "sb_see");
    assert_says(&box, "ls / | grep -v ^lib",
                "bin\ndev\netc\nproc\nrun\nsbin\ntmp\nusr\nvar\nworkspace\n");
    assert_says(
        &box, "ls -A /workspace /tmp /var /var/tmp /usr/local /run",
        "/run:\ncorral\n\n/tmp:\n\n/usr/local:\n\n/var:\ntmp\n\n/var/tmp:\n\n/workspace:\n");
    assert_says(&box, "ls -A /run/corral", "init\n");
    assert_refused(&box, "cat /etc/shadow", "No such file");
    snprintf(line, sizeof line, "cat %s", flag);
    assert_refused(&box, line, "No such file");
    snprintf(line, sizeof line, "cat %s/seccomp.bpf", run_dir);
    assert_refused(&box, line, "No such file");
    assert_refused(&box, "cat /proc/1/root/etc/shadow", "");
    stop(&box, "sb_see");
    unlink(flag);
}

static void programs_find_what_they_need(void **state)
{
    (void)state;
    struct box box;
    start(&box, "sb_run");
    assert_says(&box, "awk 'BEGIN { print 6 * 7 }'", "42\n");
    assert_says(&box, "getent passwd 1000", "agent:x:1000:1000:agent:/workspace:/bin/bash\n");
    assert_says(&box, "getent hosts localhost | awk '{ print $2 }'", "localhost\n");
    assert_says(&box, "echo a > f && cat f && ls -l f | cut -d' ' -f3", "a\nagent\n");
    assert_says(&box, "test -s /etc/ld.so.cache && echo cache", "cache\n");
    assert_says(&box, "head -c 8 /dev/zero | wc -c; echo x > /dev/null && echo null", "8\nnull\n");
    assert_says(&box, "bash -c 'sleep 100 & sleep 100 & kill %1 %2; wait; echo jobs'", "jobs\n");
    if (!access("/usr/bin/python3", X_OK))
        assert_says(&box,
                    "/usr/bin/python3 -c 'import threading, subprocess, tempfile\n"
                    "t = threading.Thread(target=lambda: print(1)); t.start(); t.join()\n"
                    "print(subprocess.check_output([\"echo\", \"2\"], text=True), end=\"\")\n"
                    "tempfile.TemporaryFile().write(b\"3\")'",
                    "1\n2\n");
    stop(&box, "sb_run");
}

static void cannot_write_outside_its_places(void **state)
{
    (void)state;
    struct box box;
    start(&box, "sb_write");
    static const char *const places[] = {"/",    "/etc",        "/usr",        "/usr/bin", "/bin",
                                         "/dev", "/run/corral", "/usr/local/", "/var",     "/run"};
    for (size_t i = 0; i < COUNT(places); i++) {
        char line[128];
        snprintf(line, sizeof line, "touch %s/x", places[i]);
        assert_refused(&box, line, "Read-only file system");
    }
    assert_refused(&box, "echo x > /run/corral/init", "");
    assert_refused(&box, "echo x > /proc/sys/kernel/hostname", "");
    assert_refused(&box, "echo x > /proc/sysrq-trigger", "");
    stop(&box, "sb_write");
}

static void sizes_are_hard(void **state)
{
    (void)state;
    struct box box;
    start(&box, "sb_size");
    assert_refused(&box, "head -c 2100000 /dev/zero > /workspace/f", "No space left");
    assert_says(&box, "stat -c %s /workspace/f", "2097152\n");
    assert_refused(&box, "head -c 1100000 /dev/zero > /tmp/f", "No space left");
    assert_refused(&box, "head -c 1100000 /dev/zero > /var/tmp/f", "No space left");
    assert_refused(&box, "head -c 1100000 /dev/zero > /dev/shm/f", "No space left");
    stop(&box, "sb_size");
}

static void init_is_out_of_reach(void **state)
{
    (void)state;
    struct box box;
    start(&box, "sb_init");
    assert_refused(&box, "head -c 1 /proc/1/mem", "Permission denied");
    assert_refused(&box, "cat /proc/1/environ", "Permission denied");
    assert_refused(&box, "ls /proc/1/fd", "Permission denied");
    assert_refused(&box, "prlimit --pid 1 --nofile=4", "Operation not permitted");
    assert_refused(&box, "renice 19 1", "Operation not permitted");
    assert_refused(&box, "ionice -c3 -p 1", "Operation not permitted");
    assert_refused(&box, "taskset -p 1 1", "Operation not permitted");
    assert_says(&box, "prlimit --nofile=64 sh -c 'ulimit -n'; nice -n 5 nice", "64\n5\n");
    assert_says(&box, "kill -9 1; kill -STOP 1; echo survived", "survived\n");
    assert_says(&box, "ls /run/corral/init.sock 2>&1 | cut -d: -f3",
                " No such file or directory\n");
    stop(&box, "sb_init");
}

static void makes_no_namespaces_and_no_mounts(void **state)
{
    (void)state;
    struct box box;
    start(&box, "sb_ns");
    assert_refused(&box, "unshare -U true", "Operation not permitted");
    assert_refused(&box, "unshare -n true", "Operation not permitted");
    assert_refused(&box, "bwrap --ro-bind / / true", "");
    assert_refused(&box, "mount -t tmpfs none /tmp", "");
    assert_refused(&box, "umount /workspace", "");
    assert_refused(&box, "nsenter -t 1 -m true", "");
    assert_refused(&box, "setpriv --reuid 0 true", "");
    assert_says(&box, "grep -c cgroup2 /proc/filesystems; grep -c ' cgroup' /proc/mounts",
                "1\n0\n");
    stop(&box, "sb_ns");
}

static void memory_beyond_the_limit_is_an_oom_kill(void **state)
{
    (void)state;
    if (!(host.cgroups.limits & CGROUP_MEMORY)) {
        print_message("SKIPPED: no memory limit here: %s\n", host.cgroups.lacks);
        skip();
    }
    struct box box;
    struct sandbox_spec spec = spec_of("sb_oom");
    spec.limits.memory_bytes = 32 * MIB;
    start_with(&box, &spec);
    SCOPED(outcome_close) struct outcome o = run(&box, "exec tail /dev/zero");
    assert_true(o.end.signalled);
    assert_int_equal(o.end.status, SIGKILL);
    assert_int_equal(box.used.oom_kills, 1);
    assert_true(box.used.cpu_usec > 0);
    assert_says(&box, "echo alive", "alive\n");
    assert_int_equal(box.used.oom_kills, 0);
    stop(&box, "sb_oom");
}

static void processes_beyond_the_limit_are_refused(void **state)
{
    (void)state;
    if (!(host.cgroups.limits & CGROUP_PIDS)) {
        print_message("SKIPPED: no limit of processes here: %s\n", host.cgroups.lacks);
        skip();
    }
    struct box box;
    struct sandbox_spec spec = spec_of("sb_pids");
    spec.limits.pids = 12;
    start_with(&box, &spec);
    SCOPED(outcome_close)
    struct outcome o = run(&box, "for i in $(seq 40); do sleep 1000 & done; echo all");
    assert_non_null(strstr(text_of(&o, 1), "fork"));
    assert_string_equal(text_of(&o, 0), "");
    assert_says(&box, "echo alive", "alive\n");
    stop(&box, "sb_pids");
}

static void refuses_what_the_host_does_not_enforce(void **state)
{
    (void)state;
    struct err err;
    struct sandbox_started started;
    struct sandbox_spec spec = spec_of("sb_limits");
    spec.allow_unenforced &= ~(unsigned)CGROUP_CPU;
    spec.limits.cpu_millis = 5; /* below the kernel's least quota, 1 ms of 100 */
    assert_int_equal(runtime_process.start(&host, &spec, soon(), &started, &err), -1);
    assert_int_equal(err.code, ERR_UNENFORCED);
    assert_non_null(strstr(err.text, "cpu"));
    assert_false(exists("sb_limits"));
    spec.allow_unenforced |= CGROUP_CPU;
    struct box box;
    start_with(&box, &spec);
    assert_true(box.started.unenforced & CGROUP_CPU);
    stop(&box, "sb_limits");
}

static void a_start_that_fails_leaves_nothing_and_says_why(void **state)
{
    (void)state;
    struct err err;
    struct sandbox_started started;
    struct sandbox_spec spec = spec_of("sb_fail");
    struct runtime_host broken = host;
    snprintf(broken.bwrap_path, sizeof broken.bwrap_path, "/usr/bin/false");
    assert_int_equal(runtime_process.start(&broken, &spec, soon(), &started, &err), -1);
    assert_int_equal(err.code, ERR_RUNTIME);
    assert_false(exists("sb_fail"));
    snprintf(broken.bwrap_path, sizeof broken.bwrap_path, "/nonexistent/bwrap");
    assert_int_equal(runtime_process.start(&broken, &spec, soon(), &started, &err), -1);
    assert_non_null(strstr(err.text, "running bwrap: No such file"));
    assert_int_equal(runtime_process.start(&host, &spec, clock_boot_ns(), &started, &err), -1);
    assert_int_equal(err.code, ERR_DEADLINE);
    assert_false(exists("sb_fail"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* Starts with a shell script in place of init; the code of the error. */
static enum err_code start_instead(const char *sandbox_id, const char *script, int64_t deadline)
{
    struct err err;
    struct sandbox_started started;
    struct sandbox_spec spec = spec_of(sandbox_id);
    struct runtime_host broken = host;
    snprintf(broken.init_path, sizeof broken.init_path, "%s/other", run_dir);
    assert_int_equal(
        file_replace_volatile(AT_FDCWD, broken.init_path, script, strlen(script), 0555, &err), 0);
    assert_int_equal(runtime_process.start(&broken, &spec, deadline, &started, &err), -1);
    assert_int_equal(unlink(broken.init_path), 0);
    assert_false(exists(sandbox_id));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    return err.code;
}

static void an_init_that_does_not_knock_is_undone(void **state)
{
    (void)state;
    assert_int_equal(start_instead("sb_ends", "#!/bin/sh\nexit 3\n", soon()), ERR_RUNTIME);
    assert_int_equal(start_instead("sb_mute", "#!/bin/sh\nsetsid sleep 1000 & exec sleep 1000\n",
                                   clock_boot_ns() + S_NS / 2),
                     ERR_DEADLINE);
}

static void passes_on_bwraps_own_words(void **state)
{
    (void)state;
    struct err err;
    struct sandbox_started started;
    struct sandbox_spec spec = spec_of("sb_words");
    char moved[128], path[128];
    snprintf(path, sizeof path, "%s/seccomp.bpf", run_dir);
    snprintf(moved, sizeof moved, "%s/aside", run_dir);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(file_replace_volatile(AT_FDCWD, path, "12345", 5, 0600, &err), 0);
    assert_int_equal(runtime_process.start(&host, &spec, soon(), &started, &err), -1);
    assert_int_equal(err.code, ERR_RUNTIME);
    assert_non_null(strstr(err.text, "seccomp"));
    assert_int_equal(rename(moved, path), 0);
}

static void refuses_a_second_sandbox_of_one_id(void **state)
{
    (void)state;
    struct err err;
    struct sandbox_started started;
    struct box box;
    struct sandbox_spec spec = spec_of("sb_one");
    start_with(&box, &spec);
    assert_int_equal(runtime_process.start(&host, &spec, soon(), &started, &err), -1);
    assert_int_equal(err.code, ERR_STATE);
    assert_says(&box, "echo untouched", "untouched\n");
    stop(&box, "sb_one");
    spec.host_uid = 0;
    assert_int_equal(runtime_process.start(&host, &spec, soon(), &started, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    snprintf(spec.sandbox_id, sizeof spec.sandbox_id, "../x");
    assert_int_equal(runtime_process.start(&host, &spec, soon(), &started, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void is_found_again_by_token(void **state)
{
    (void)state;
    struct err err;
    struct sandbox_started again;
    struct box box;
    struct sandbox_spec spec = spec_of("sb_again");
    start_with(&box, &spec);
    struct sandbox_handle handle = handle_of(&spec, &box.started);
    assert_says(&box, "echo first", "first\n");
    line_close(&box.driver.line); /* as if the manager had died */

    handle.token[0] ^= 1;
    assert_int_equal(runtime_process.relink(&host, &handle, 0, soon(), &again, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
    handle.token[0] ^= 1;
    handle.init_start_ticks++;
    assert_int_equal(runtime_process.relink(&host, &handle, 0, soon(), &again, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    handle.init_start_ticks--;
    if (runtime_process.relink(&host, &handle, 0, soon(), &again, &err))
        fail_msg("%s", err.text);
    assert_int_equal(again.init_pid, box.started.init_pid);
    assert_memory_equal(&again.cgroup, &box.started.cgroup, sizeof again.cgroup);
    fd_close(&again.pidfd);
    assert_int_equal(again.newest_exec, box.execs);
    box.driver.line = line_open(again.socket);
    assert_says(&box, "echo back; ls /run/corral", "back\ninit\n");
    stop(&box, "sb_again");
    assert_int_equal(runtime_process.relink(&host, &handle, 0, soon(), &again, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* A whole life on another layout than the host's own. */
static void lives_on(enum cgroup_mode mode)
{
    struct runtime_host own = host;
    if (own.cgroups.mode != CGROUP_HYBRID) {
        print_message("SKIPPED: only a hybrid host can stand for others\n");
        skip();
    }
    host.cgroups.mode = mode;
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++)
        if ((tree == CGROUP_TREE_UNIFIED) != (mode == CGROUP_V2) || mode == CGROUP_NONE)
            host.cgroups.base[tree][0] = 0;
    if (mode != CGROUP_V1)
        host.cgroups.limits = 0;
    struct box box;
    start(&box, "sb_life");
    assert_int_equal(box.started.cgroup.mode, mode);
    assert_says(&box, "echo one; sleep 1000 & echo two", "one\ntwo\n");
    stop(&box, "sb_life");
    host = own;
}

static void lives_on_pure_v1(void **state)
{
    (void)state;
    lives_on(CGROUP_V1);
}

static void lives_on_v2(void **state)
{
    (void)state;
    lives_on(CGROUP_V2);
}

static void lives_without_cgroups(void **state)
{
    (void)state;
    lives_on(CGROUP_NONE);
}

static void note(void *context, const char *sandbox_id)
{
    snprintf((char *)context + strlen(context), 64, "%s ", sandbox_id);
}

static void lists_each_of_ours_once(void **state)
{
    (void)state;
    struct err err;
    char seen[256] = "";
    struct box box;
    start(&box, "sb_list");
    assert_int_equal(runtime_process.list(&host, note, seen, &err), 0);
    assert_string_equal(seen, "sb_list ");
    stop(&box, "sb_list");
    seen[0] = 0;
    assert_int_equal(runtime_process.list(&host, note, seen, &err), 0);
    assert_string_equal(seen, "");
}

static void stop_kills_what_hides_and_may_be_repeated(void **state)
{
    (void)state;
    struct err err;
    struct box box;
    struct sandbox_spec spec = spec_of("sb_stop");
    start_with(&box, &spec);
    struct sandbox_handle handle = handle_of(&spec, &box.started);
    uint32_t id = ++box.execs;
    struct frame_spawn order =
        driver_order(id, TEXTS_OF("sh\0-c\0for i in 1 2 3; do setsid sh -c 'trap \"\" TERM; sleep "
                                  "1000 & wait' & done; echo up; wait"));
    SCOPED(fd_close) int pidfd = driver_spawn(&box.driver, &order);
    driver_say(&box.driver, open_gate, .id = id);
    driver_expect(&box.driver, FRAME_OUTPUT);
    stop(&box, "sb_stop");
    assert_int_equal(runtime_process.stop(&host, &handle, soon(), &err), 0);
}

static void two_sandboxes_do_not_see_each_other(void **state)
{
    (void)state;
    struct box one, two;
    struct sandbox_spec spec = spec_of("sb_two");
    start(&one, "sb_one");
    if (spec.host_uid >= 0)
        spec.host_uid++;
    start_with(&two, &spec);
    assert_says(&one, "echo secret > /workspace/s; echo secret > /tmp/s; echo secret > /dev/shm/s",
                "");
    assert_says(&two,
                "cat /workspace/s /tmp/s /dev/shm/s 2>/dev/null; set -- /proc/[0-9]*; echo $#",
                "2\n");
    line_close(&one.driver.line);
    line_close(&two.driver.line);
    struct sandbox_handle handle = handle_of(&spec, &two.started);
    struct err err;
    assert_int_equal(runtime_process.stop(&host, &handle, soon(), &err), 0);
    fd_close(&two.started.pidfd);
    stop(&one, "sb_one");
}

/* A test that failed half-way must not fail those behind it. */
static int sweep(void **state)
{
    (void)state;
    struct err err;
    while (begun_count > 0)
        if (runtime_process.stop(&host, &begun[--begun_count], soon(), &err))
            return -1;
    return 0;
}

static int open_all(void **state)
{
    (void)state;
    struct err err;
    char instance[32];
    snprintf(run_dir, sizeof run_dir, "/tmp/corral-test-XXXXXX");
    snprintf(instance, sizeof instance, "test-rt-%d", (int)getpid());
    if (!mkdtemp(run_dir) || process_open(instance, run_dir, BIN_DIR "/corral-init", &host, &err)) {
        print_error("%s\n", err.text);
        return -1;
    }
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    process_close(&host);
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++)
        if (host.cgroups.base[tree][0] && !access(host.cgroups.base[tree], F_OK))
            return -1;
    umount(run_dir);
    return rmdir(run_dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(is_a_nobody_without_capabilities, sweep),
        cmocka_unit_test_teardown(has_a_host_uid_of_its_own, sweep),
        cmocka_unit_test_teardown(has_no_network, sweep),
        cmocka_unit_test_teardown(sees_only_usr_and_its_own, sweep),
        cmocka_unit_test_teardown(programs_find_what_they_need, sweep),
        cmocka_unit_test_teardown(cannot_write_outside_its_places, sweep),
        cmocka_unit_test_teardown(sizes_are_hard, sweep),
        cmocka_unit_test_teardown(init_is_out_of_reach, sweep),
        cmocka_unit_test_teardown(makes_no_namespaces_and_no_mounts, sweep),
        cmocka_unit_test_teardown(memory_beyond_the_limit_is_an_oom_kill, sweep),
        cmocka_unit_test_teardown(processes_beyond_the_limit_are_refused, sweep),
        cmocka_unit_test_teardown(refuses_what_the_host_does_not_enforce, sweep),
        cmocka_unit_test_teardown(a_start_that_fails_leaves_nothing_and_says_why, sweep),
        cmocka_unit_test_teardown(an_init_that_does_not_knock_is_undone, sweep),
        cmocka_unit_test_teardown(passes_on_bwraps_own_words, sweep),
        cmocka_unit_test_teardown(refuses_a_second_sandbox_of_one_id, sweep),
        cmocka_unit_test_teardown(is_found_again_by_token, sweep),
        cmocka_unit_test_teardown(lives_on_pure_v1, sweep),
        cmocka_unit_test_teardown(lives_on_v2, sweep),
        cmocka_unit_test_teardown(lives_without_cgroups, sweep),
        cmocka_unit_test_teardown(lists_each_of_ours_once, sweep),
        cmocka_unit_test_teardown(stop_kills_what_hides_and_may_be_repeated, sweep),
        cmocka_unit_test_teardown(two_sandboxes_do_not_see_each_other, sweep),
    };
    if (system("bwrap --unshare-user --unshare-pid --ro-bind / / --proc /proc true")) {
        print_message("SKIPPED: bubblewrap cannot make a sandbox here\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, open_all, close_all);
}
