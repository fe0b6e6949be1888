"""Real services and connection files of agents, for stories of the Python client.

    from agents import World, corral, refusal, same   # corral: the client library

The library and corral.py here have the same name; this module loads both.
"""
import importlib.util
import json
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "clients" / "python"
sys.path.insert(0, str(CLIENT))
import corral  # noqa: E402

_SPEC = importlib.util.spec_from_file_location("story", ROOT / "tests" / "lib" / "corral.py")
story = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(story)


def skip_unless_full(bin_dir):
    """Sandboxes here must be whole ones: the examples do not ask for less."""
    command = [Path(bin_dir) / "corral-manager", "--preflight"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if "level full" not in found.stdout:
        print(f"skipped: this host has no level full\n{found.stdout}{found.stderr}")
        sys.exit(77)


def free_ports():
    """The first of three ports in a row, for manager.listen."""
    while True:
        sockets = [socket.socket() for _ in range(3)]
        try:
            sockets[0].bind(("127.0.0.1", 0))
            first = sockets[0].getsockname()[1]
            for offset in (1, 2):
                sockets[offset].bind(("127.0.0.1", first + offset))
            return first
        except (OSError, OverflowError):
            pass  # a neighbour is taken
        finally:
            for each in sockets:
                each.close()


class World(story.Corral):
    """Services and the connection files of two agents and a stranger, all over TCP."""

    def __init__(self, bin_dir):
        super().__init__(bin_dir)
        self.port = free_ports()
        config = self.root / "corral.toml"
        rows = ("[manager]", f'listen = "tcp://127.0.0.1:{self.port}"', "kill_timeout_ms = 1000")
        rows += ("verdict_timeout_ms = 3000",)
        config.write_text("\n".join(rows))
        self.options = ("--config", str(config))
        agents = ("coder", "other")
        for agent in agents:
            self.add_principal(agent, "default", ["agent"], [agent])
        self.write_registry(2, [("default", agent) for agent in agents])
        self.add_principal("stranger", "default", ["agent"], ["stranger"])  # never written
        self.files = {name: self.write_file(name) for name in (*agents, "stranger")}

    def write_file(self, agent, port=0):
        """The agent's connection file; `port` is another one for requests than the manager's."""
        manager = {"service": "manager", "server_key": self.keys["manager"][0].decode()}
        for offset, door in enumerate(("requests", "publish", "events")):
            manager[door] = f"tcp://127.0.0.1:{self.port + offset}"
        if port:
            manager["requests"] = f"tcp://127.0.0.1:{port}"
        row = {"tenant": "default", "principal": agent, "agent": agent, "services": [manager]}
        for name, key in zip(("public_key", "secret_key"), self.keys[agent]):
            row[name] = key.decode()
        path = self.root / f"{agent}{port or ''}.json"
        path.touch(0o600)
        path.write_text(json.dumps(row))
        return path

    def start_manager(self, env=None):
        return self.start("manager", env, self.options)

    def create(self, agent="coder", **more):
        return corral.Sandbox.create(connect=self.files[agent], **more)


def refusal(kind, call, *args, **more):
    """The exception of this class that the call raises."""
    try:
        found = call(*args, **more)
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} expected, got {found!r}")


def same(found, wanted):
    assert found == wanted, f"{found!r} is not {wanted!r}"


def executions(world, word):
    """Intents of commands with this word in the manager's journal."""
    return sum(
        event.get("phase") == "intent" and word in event.get("command", "")
        for event in world.records("manager")
        if event.get("kind") == "command_execute"
    )
