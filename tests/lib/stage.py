"""A whole Corral for stories about sandboxes: guardian, audit and manager, an approved agent, and
short words for what a story does most.

    with Stage(sys.argv[1]) as stage:
        sandbox = stage.create()
        assert stage.shell(sandbox, "id -u")["stdout"] == b"1000\\n"

Every sandbox is killed when the `with` ends.
"""
import subprocess
import sys
from pathlib import Path

from corral import Corral, Refused

# A machine that runs tests is busy: what is judged in time elsewhere may take longer here.
CONFIG = """
[manager]
verdict_timeout_ms = 5000
"""
SMALL = {"memory_mb": 64, "pids": 32, "workspace_mb": 8}


def skip_unless_sandboxes(bin_dir, level=""):
    """Ends the story with 77 where no sandbox can be started, or where the host's level is less."""
    command = [Path(bin_dir) / "corral-manager", "--preflight"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode or f"level {level}" not in found.stdout:
        print(f"SKIPPED: this host has no level {level}\n{found.stdout}{found.stderr}")
        sys.exit(77)


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(map(str, what)))


def refusal(ask, *words, **named):
    """The body of the error that a call is answered with."""
    try:
        answer = ask(*words, **named)
    except Refused as refused:
        return refused.failure
    raise AssertionError(f"{words} was answered with {answer}")


def processes_of(sandbox):
    """Pids on the host in the sandbox's control groups. One that has ended and waits for its parent
    is in none that exists."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cgroup"):
        try:
            lines = path.read_text().splitlines()
            if any(sandbox in line and "(deleted)" not in line for line in lines):
                found.append(int(path.parent.name))
        except OSError:
            pass  # it has ended meanwhile
    return found


class Stage(Corral):
    """Services, the agents `coder` and `other` in tenant default and `far` in tenant elsewhere,
    each with a key of its own name, and clients made on demand."""

    AGENTS = (("default", "coder"), ("default", "other"), ("elsewhere", "far"))

    def __init__(self, bin_dir, config=CONFIG):
        super().__init__(bin_dir)
        self.clients = {}
        path = self.root / "corral.toml"
        path.write_text(config)
        self.options = ("--config", str(path))
        for tenant, agent in self.AGENTS:
            self.add_principal(agent, tenant, ["agent"], [agent])
        self.write_registry(2, self.AGENTS)
        self.running = {}
        for name in ("audit", "guardian", "manager"):
            self.start_again(name)

    def __exit__(self, kind, value, trace):
        try:
            if self.running["manager"].process.poll() is None:
                for row in self.ask("sandbox_list", principal="admin")["sandboxes"]:
                    self.delete(row["sandbox_id"], "admin")
        finally:
            for client in self.clients.values():
                client.socket.close()
            super().__exit__(kind, value, trace)

    def start_again(self, name, env=None, must_be_ready=True):
        """Starts a service that does not run."""
        self.running[name] = self.start(name, env, self.options, must_be_ready)
        return self.running[name]

    def client_of(self, principal, service="manager"):
        """One client for each principal and service, for as long as the stage stands."""
        key = (principal, service)
        if key not in self.clients:
            self.clients[key] = self.client(principal, service)
        return self.clients[key]

    def ask(self, operation, body=None, principal="coder", request_id=None):
        return self.client_of(principal).ask(operation, body, request_id)

    def create(self, agent="coder", limits=None, **more):
        body = {"agent": agent, "limits": SMALL | (limits or {})} | more
        return self.ask("sandbox_create", body, agent)["sandbox_id"]

    def delete(self, sandbox, principal="coder"):
        return self.ask("sandbox_delete", {"sandbox_id": sandbox}, principal)

    def execute(self, sandbox, principal="coder", **more):
        """A command's result; streams that carried nothing are empty."""
        result = self.ask("command_execute", {"sandbox_id": sandbox} | more, principal)
        return {"stdout": b"", "stderr": b""} | result

    def shell(self, sandbox, command, **more):
        """The result of a shell string."""
        return self.execute(sandbox, command=command, **more)

    def install(self, sandbox, program, path="/workspace/program.py", **more):
        """Writes a program into the sandbox, larger than what the guardian reads of a script: the
        wall and the limits must hold where nobody judged."""
        writer = "import sys; text = bytes.fromhex(sys.argv[2]) + b'\\n' * 65536; "
        writer += "open(sys.argv[1], 'wb').write(text)"
        argv = ["python3", "-c", writer, path, program.encode().hex()]
        result = self.execute(sandbox, argv=argv, **more)
        expect(result["exit_code"] == 0, result)
        return path

    def python(self, sandbox, program, *words, principal="coder", **more):
        """The result of a Python program inside."""
        path = self.install(sandbox, program, principal=principal)
        return self.execute(sandbox, principal, argv=["python3", path, *words], **more)

    def output(self, sandbox, command, **more):
        """What a shell string writes, which must succeed."""
        result = self.shell(sandbox, command, **more)
        expect(result["cause"] == "exited" and result["exit_code"] == 0, command, result)
        return result["stdout"].decode()

    def names(self, sandbox):
        """Of the processes in the sandbox; one that ends meanwhile is none."""
        return self.output(sandbox, "cat /proc/[0-9]*/comm 2>/dev/null || true").split()

    def inspect(self, sandbox):
        return self.ask("sandbox_inspect", {"sandbox_id": sandbox})

    def logged(self, **filters):
        """All rows of the record with these filters, oldest first, once the audit has committed
        what the manager has written by now."""
        last = self.ask("status")["last"]
        while self.ask("status")["acked"] < last:
            pass
        rows, cursor = [], {}
        while True:
            body = {**filters, "limit": 500, **cursor}
            page = self.client_of("admin", "audit").ask("logs_query", body)
            rows += page["rows"]
            if "next" not in page:
                return rows[::-1]
            cursor = {"cursor": page["next"]}


def play(bin_dir, stories, config=CONFIG, level=""):
    """Runs stories on one stage, each a function of it; prints what each has proved."""
    skip_unless_sandboxes(bin_dir, level)
    with Stage(bin_dir, config) as stage:
        for story in stories:
            story(stage)
            print(f"{story.__name__.replace('_', ' ')}: {story.__doc__}", flush=True)
