#!/usr/bin/python3
"""Measures real services and prints the table of figures. usage: bench.py BIN_DIR [PART...]
README.md says what each figure is; without a PART all of them are measured."""
import ctypes
import os
import platform
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "lib"))
import corral as lib  # noqa: E402
from engine import Engine, Missing, remove_cgroups, resident_kib  # noqa: E402
from raw_init import RawInit  # noqa: E402
from table import Table, beside, median, percentile, repeat, show, timed  # noqa: E402

TRUE = "/bin/true"
GOAL = 15  # times faster than docker exec
VERDICT_GOAL = 1.5  # times an empty round trip
WARM_UP = 20
SERVICES = ("manager", "guardian", "audit", "monitor")


class Bench:
    """The services, a client, and what there is to compare with."""

    def __init__(self, bin_dir, stack):
        self.bin = Path(bin_dir)
        self.table = Table()
        self.corral = stack.enter_context(lib.Corral(bin_dir))
        self.stack = stack
        self.live = set()
        names = [name for name in SERVICES if (self.bin / f"corral-{name}").exists()]
        self.services = {name: self.corral.start(name) for name in names}
        self.admin = stack.enter_context(self.corral.client("admin", "manager"))
        self.guardian = stack.enter_context(self.corral.client("admin", "guardian"))
        self.approve("bench")
        self.engine = self._find_engine()

    def _find_engine(self):
        try:
            return self.stack.enter_context(Engine())
        except Missing as why:
            self.table.note(f"Left out: every docker figure. {why}")
            return None

    def approve(self, agent):
        key = lib.zmq.curve_keypair()[0].decode()
        roomy = {"max_sandboxes": 10000, "max_memory_mb": 1 << 20, "max_cpu_percent": 100000}
        request = {"agent": agent, "public_key": key, "settings": roomy}
        self.guardian.ask("agent_approve", request)

    def create(self, agent="bench"):
        made = self.admin.ask("sandbox_create", {"agent": agent})["sandbox_id"]
        self.live.add(made)
        return made

    def delete(self, sandbox):
        self.admin.ask("sandbox_delete", {"sandbox_id": sandbox})
        self.live.discard(sandbox)

    def run(self, sandbox):
        body = {"sandbox_id": sandbox, "argv": [TRUE]}
        result = self.admin.ask("command_execute", body)
        assert (result["cause"], result["exit_code"]) == ("exited", 0), result

    def close(self):
        for sandbox in list(self.live):
            self.delete(sandbox)
        for service in self.services.values():
            service.stop()
        remove_cgroups(f"corral-{self.corral.instance}")


def spawn_and_wait():
    os.waitpid(os.posix_spawn(TRUE, [TRUE], {}), 0)


def bench_exec(b):
    """One command, from the client's request to its answer; all kinds in turns of ten."""
    box = b.create()
    ours, raw, plain, docker = [], [], [], []
    with RawInit(b.bin) as init:
        repeat(WARM_UP, lambda: (b.run(box), init.run(TRUE)))
        for _ in range(30):
            ours += repeat(10, lambda: b.run(box))
            raw += repeat(10, lambda: init.run(TRUE))
            plain += repeat(10, spawn_and_wait)
            if b.engine:
                docker += repeat(5, lambda: b.engine.run(TRUE))
    b.delete(box)
    b.table.add("raw init round trip of /bin/true", raw, beside(plain, "posix_spawn, wait"))
    instead = beside(docker, "docker exec") if docker else ""
    b.table.add("exec of /bin/true, end to end", ours, beside(raw, "raw init"), instead)
    apart = show(median(ours) - median(raw))
    b.table.note(f"exec: {apart} above the raw init round trip, for CURVE, verdict and two syncs.")
    if docker:
        times = median(docker) / median(ours)
        b.table.note(f"exec: {times:.1f}x faster than docker exec by API (goal: {GOAL}x).")


def bench_life(b):
    """A sandbox for one command: create, exec, delete."""

    def ours():
        box = b.create()
        b.run(box)
        b.delete(box)

    def docker():
        container = b.engine.create()
        b.engine.run(TRUE, container)
        b.engine.remove(container)

    bwrap = shutil.which("bwrap")
    words = [bwrap, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    words.append(TRUE)
    ours()
    lives, bare, engines = [], [], []
    for _ in range(10):
        lives += repeat(5, ours)
        bare += repeat(5, lambda: subprocess.run(words, check=True))
        if b.engine:
            engines += repeat(1, docker)
    instead = beside(engines, "docker: the same") if engines else ""
    b.table.add("create + exec + delete", lives, beside(bare, "bwrap --unshare-all"), instead)


def bench_kill(b):
    """agent_kill: twenty sandboxes dead and proved so, counted from the client's request."""
    ours, bare = [], []
    b.approve("doomed")
    for _ in range(5):
        boxes = [b.create("doomed") for _ in range(20)]
        ours.append(timed(lambda: check_killed(b.admin.ask("agent_kill", {"agent": "doomed"}))))
        b.live -= set(boxes)
        children = [subprocess.Popen(["sleep", "1000"]) for _ in range(20)]
        bare.append(timed(lambda: kill_all(children)))
    instead = ""
    if b.engine:
        doomed = [b.engine.create() for _ in range(3)]
        times = [timed(lambda one=one: b.engine.remove(one)) for one in doomed]
        instead = beside(times, "docker rm -f of one")
    b.table.add("agent_kill of 20 sandboxes", ours, beside(bare, "kill, wait of 20"), instead)


def check_killed(answer):
    assert (answer["killed"], answer["failed"]) == (20, 0), answer


def kill_all(children):
    for child in children:
        child.kill()
    for child in children:
        child.wait()


def signatures_per_s():
    """Ed25519 signatures of one core."""
    secret, out = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
    lib.sodium.crypto_sign_keypair(ctypes.create_string_buffer(32), secret)
    message = (b"x" * 400, ctypes.c_ulonglong(400))

    def sign():
        lib.sodium.crypto_sign_detached(out, None, *message, secret)

    return 1000 / median([took / 100 for took in repeat(20, lambda: [sign() for _ in range(100)])])


def short_act(script):
    limits = {"cpu_millis": 800, "memory_mb": 512, "pids": 256, "workspace_mb": 256}
    act = {"tenant": "default", "agent": "bench", "operation": "command_execute"}
    act |= {"sandbox_id": "sb_1", "script": script, "cwd": "/workspace"}
    return act | {"user": "agent", "limits": limits | {"exec_timeout_ms": 300000}}


def bench_guardian(b):
    """Verdicts: one at a time, and with 64 under way."""
    body = {"act": short_act(b"ls -l | head -3"), "principal": "bench"}
    with b.corral.client("manager", "guardian") as client:

        def ask():
            assert client.ask("verdict_request", body)["approved"]

        def ask_many():
            for _ in range(64):
                client.send("verdict_request", body)
            for _ in range(1000 - 64):
                client.receive()
                client.send("verdict_request", body)
            for _ in range(64):
                client.receive()

        repeat(WARM_UP, ask)
        single = repeat(1000, ask)
        rates = [1000 / took * 1000 for took in repeat(10, ask_many)]
    signs = signatures_per_s()
    b.table.add("verdict of the guardian", single, f"{show(1000 / signs)}  Ed25519 signature")
    b.table.add("verdicts, 64 under way", rates, f"{show(signs, '/s')}  Ed25519", unit="/s")


def bench_policy(b):
    """Decisions in process, and a verdict beside an empty round trip on the same sockets."""
    words = [b.bin / "bench-policy", "3000"]
    text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    figures = {}
    for line in text.splitlines():
        name, figure = line.split()
        figures.setdefault(name, []).append(int(figure))
    shapes = {"short": "2 words", "line": "400 bytes, 17 commands", "script": "4 KiB"}
    for name, shape in shapes.items():
        took_us = [took / 1e3 for took in figures[name]]
        rate = show(figures[f"{name}-rate"][0], "/s")
        kib = show(figures[f"{name}-bytes"][0] / 1024, "KiB")
        b.table.add(f"decision: {shape}", took_us, f"{rate} a core; {kib}", unit="us")
    heap, resident = figures["rules-heap"][0] / 1024, figures["rules-resident"][0] / 1024
    b.table.note(f"rules: {show(heap, 'KiB')} of heap, {show(resident, 'KiB')} more resident.")
    bench_validate(b)
    b.table.add("resident: guardian", [resident_kib(b.services["guardian"].pid) / 1024], unit="MiB")


def bench_tokens(b):
    """The longest that any text of 64 KiB takes of those that repeat one token."""
    words = [b.bin / "bench-tokens"]
    text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    count, worst_ns, worst = text.rstrip("\n").split(" ", 2)
    b.table.add(f"64 KiB of one token: slowest of {count}", [int(worst_ns) / 1e6], "50 ms")
    b.table.note(f"the slowest text repeats {worst!r}.")


def bench_validate(b):
    """A verdict and the guardian's smallest answer, in turns of ten over one CURVE connection."""
    body = {"act": short_act(b"git status"), "principal": "bench"}
    with b.corral.client("manager", "guardian") as client:

        def ask():
            assert client.ask("verdict_request", body)["approved"]

        repeat(WARM_UP, lambda: (ask(), client.ask("status")))
        verdicts, empty = [], []
        for _ in range(100):
            verdicts += repeat(10, ask)
            empty += repeat(10, lambda: client.ask("status"))
    b.table.add("verdict: git status, over ipc", verdicts, beside(empty, "status, same socket"))
    times, apart = median(verdicts) / median(empty), (median(verdicts) - median(empty)) * 1000
    tail = percentile(verdicts, 99) / percentile(empty, 99)
    b.table.note(
        f"verdict: {times:.2f}x an empty round trip at p50 (goal: {VERDICT_GOAL}x), {tail:.2f}x at "
        f"p99; {show(apart, 'us')} more at p50."
    )


def bench_journal(b):
    """A record made durable, beside what the disk needs for the same bytes."""
    folder = tempfile.mkdtemp(prefix="corral-bench-", dir=b.corral.state)
    words = [b.bin / "bench-journal", folder, "500"]
    text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    samples = {"journal": [], "disk": []}
    for line in text.splitlines():
        name, took_ns = line.split()
        samples[name].append(int(took_ns) / 1e6)
    db = sqlite3.connect(Path(folder) / "db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE record(seq INTEGER PRIMARY KEY, payload BLOB)")
    insert = "INSERT INTO record(payload) VALUES (?)"
    sqlite = repeat(300, lambda: db.execute(insert, (b"x" * 512,)))
    db.close()
    disk = beside(samples["disk"], "pwrite, fdatasync")
    instead = beside(sqlite, "SQLite, WAL, FULL")
    b.table.add("journal: append to durable", samples["journal"], disk, instead)


def bench_ping(b):
    """The round trip of a query, beside a byte to another process and back."""
    ours = repeat(2000, lambda: b.admin.ask("sandbox_list"))
    near, far = socket.socketpair()
    pid = os.fork()
    if not pid:
        near.close()
        while data := far.recv(64):
            far.send(data)
        os._exit(0)
    far.close()
    bare = repeat(2000, lambda: (near.send(b"x"), near.recv(64)))
    near.close()
    os.waitpid(pid, 0)
    instead = ""
    if b.engine:
        docker = repeat(200, lambda: b.engine.ask("GET", "/containers/json"))
        instead = beside(docker, "docker ps by API")
    b.table.add("query: sandbox_list", ours, beside(bare, "byte there and back"), instead)


def bench_memory(b):
    """What stays resident with ten sandboxes."""
    boxes = [b.create() for _ in range(10)]
    for box in boxes:
        b.run(box)
    rows = b.admin.ask("sandbox_list")["sandboxes"]
    inits = [resident_kib(row["init_pid"]) for row in rows]
    daemons = {name: resident_kib(s.pid) / 1024 for name, s in b.services.items()}
    for box in boxes:
        b.delete(box)
    docker = shim = ""
    if b.engine and b.engine.resident_kib():
        docker = f"{show(b.engine.resident_kib() / 1024, 'MiB')}  dockerd, containerd"
        shim = beside(b.engine.shims_kib(), "shim of a container", "KiB")
    for name, mib in daemons.items():
        b.table.add(f"resident: {name}, 10 sandboxes", [mib], unit="MiB")
    b.table.add("resident: all services", [sum(daemons.values())], "", docker, "MiB")
    b.table.add("resident: corral-init", inits, "", shim, "KiB")


PARTS = {
    "exec": bench_exec,
    "life": bench_life,
    "kill": bench_kill,
    "guardian": bench_guardian,
    "policy": bench_policy,
    "tokens": bench_tokens,
    "journal": bench_journal,
    "ping": bench_ping,
    "memory": bench_memory,
}


def describe(b, parts):
    cpu = "an unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    load = os.getloadavg()[0]
    words = ["stat", "-f", "-c", "%T", str(b.corral.state)]
    disk = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    engine = b.engine.name() if b.engine else "none"
    print(f"scripts/bench {' '.join(parts)}".rstrip() + f", {platform.node()}")
    print(f"{os.cpu_count()} x {cpu}; Linux {platform.release()}")
    print(f"journal on {disk}; load {load:.1f}")
    print(f"docker engine: {engine}; clients are in Python {platform.python_version()}\n")


def main():
    chosen = sys.argv[2:]
    unknown = [part for part in chosen if part not in PARTS]
    if unknown:
        print(f"no part {unknown[0]}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        b = Bench(sys.argv[1], stack)
        try:
            describe(b, chosen)
            for part in chosen or PARTS:
                try:
                    PARTS[part](b)
                except (lib.Refused, Missing) as why:
                    b.table.note(f"Left out: {part}. {why}")
        finally:
            b.close()
        b.table.show()
    return 0


if __name__ == "__main__":
    sys.exit(main())
