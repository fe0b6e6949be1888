"""Starts real services of Corral in a directory of their own and talks to them, for stories.

    with Corral(sys.argv[1]) as corral:
        guardian = corral.start("guardian")
        with corral.client("admin", "guardian") as admin:
            answer = admin.ask("guardian_status")

Processes are ended by pid when the `with` ends. Nothing waits by sleeping: a service says when it
is ready, an answer comes or the test fails after DEADLINE_S.
"""
import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import struct
import subprocess
import tempfile
from pathlib import Path

import msgpack
import zmq

DEADLINE_S = 30
SERVICES = ("manager", "guardian", "monitor", "audit")
sodium = ctypes.CDLL("libsodium.so.23")


class Refused(Exception):
    """An answer with the status error; `failure` is its body."""

    def __init__(self, failure):
        super().__init__(f"{failure['code']}: {failure['text']}")
        self.failure = failure
        self.code = failure["code"]
        self.text = failure["text"]


def sign_keypair():
    """(public key, seed) of Ed25519."""
    seed, public, secret = os.urandom(32), ctypes.create_string_buffer(32), bytes(64)
    assert not sodium.crypto_sign_seed_keypair(public, ctypes.create_string_buffer(secret), seed)
    return public.raw, seed


def is_signed(signature, message, public):
    """True when the Ed25519 signature is over the message by the key's owner."""
    return not sodium.crypto_sign_verify_detached(
        signature, message, ctypes.c_ulonglong(len(message)), public
    )


def write_key(path, kind, public, secret):
    """Writes a key file as net/keys.h wants it."""
    path.touch(0o600)
    path.write_text(f'kind = "{kind}"\npublic-key = "{public}"\nsecret-key = "{secret}"\n')


class Service:
    """A running service."""

    def __init__(self, corral, name, env=None, options=()):
        self.name = name
        self.log_path = corral.root / f"{name}.log"
        ready_read, ready_write = os.pipe()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [corral.bin / f"corral-{name}", "--state", corral.state, "--run", corral.run / name]
                + ["--ready-fd", str(ready_write), *options],
                pass_fds=(ready_write,),
                stdin=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, **(env or {})},
            )
        os.close(ready_write)
        with os.fdopen(ready_read, "rb") as ready:
            if not select.select([ready], [], [], DEADLINE_S)[0]:
                self.kill()
                raise AssertionError(f"{name} is not ready in time:\n{self.log()}")
            self.is_ready = ready.read() == b"ready\n"

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait(self):
        """Waits for its end; the exit code, or minus the signal."""
        return self.process.wait(DEADLINE_S)

    def kill(self):
        """kill -9, and waits."""
        self.process.kill()
        return self.wait()

    def stop(self):
        """A clean end."""
        self.process.send_signal(signal.SIGTERM)
        code = self.wait()
        assert code == 0, f"{self.name} ended with {code}:\n{self.log()}"


class Client:
    """A DEALER that asks one service; answers are matched by request id."""

    def __init__(self, corral, keys, service):
        self.socket = corral.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.curve_publickey, self.socket.curve_secretkey = keys
        self.socket.curve_serverkey = corral.keys[service][0]
        self.socket.connect(corral.endpoint(service, "requests"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, operation, body=None, request_id=None):
        """Sends and returns the request id."""
        request_id = request_id or os.urandom(16)
        frames = [b"C1", request_id, operation.encode(), msgpack.packb(body or {})]
        self.socket.send_multipart(frames)
        return request_id

    def receive(self, timeout_s=DEADLINE_S):
        """(request id, status, body) of the next answer; None after the time."""
        if not self.socket.poll(int(timeout_s * 1000)):
            return None
        version, request_id, status, body = self.socket.recv_multipart()
        assert version == b"C1"
        return request_id, status.decode(), msgpack.unpackb(body)

    def ask(self, operation, body=None, request_id=None):
        """The body of the "ok" answer; Refused for an error."""
        request_id = self.send(operation, body, request_id)
        while answer := self.receive():
            if answer[0] != request_id:
                continue
            if answer[1] == "error":
                raise Refused(answer[2])
            return answer[2]
        raise AssertionError(f"no answer to {operation} within {DEADLINE_S} s")


class Corral:
    """A state directory with keys, registry and services.json, and what runs on it."""

    def __init__(self, bin_dir):
        self.bin = Path(bin_dir)
        self.root = Path(tempfile.mkdtemp(prefix="corral-", dir="/tmp"))
        self.state, self.run = self.root / "state", self.root / "run"
        self.instance = os.urandom(4).hex()
        self.context = zmq.Context()
        self.keys = {}  # principal: (public key, secret key), bytes of Z85
        self.rows = []
        self.services = []
        self._make()

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        for service in self.services:
            if service.process.poll() is None:
                service.kill()
            if kind:
                print(f"--- {service.name}\n{service.log()}")
        self.context.destroy(0)
        self._remove_cgroups()
        shutil.rmtree(self.root)

    def _remove_cgroups(self):
        """A manager that is stopped removes its control groups; one that is killed cannot."""
        for base in Path("/sys/fs/cgroup").rglob(f"corral-{self.instance}"):
            folders = [path for path in (base, *base.rglob("*")) if path.is_dir()]
            for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
                with contextlib.suppress(OSError):  # somebody lives in it: the story has failed
                    folder.rmdir()

    def _make(self):
        for folder in (self.state, self.run):
            folder.mkdir(0o700)
        for name in SERVICES:
            (self.state / name).mkdir(0o700)
            (self.run / name).mkdir(0o700)
            self.add_principal(name, "system", [f"service:{name}"])
            public, secret = self.keys[name]
            write_key(
                self.state / name / "service.key", "curve", public.decode(), secret.decode()
            )
        (self.state / "leases").mkdir(0o700)
        (self.state / "public").mkdir(0o755)
        self.verdict_key, seed = sign_keypair()
        signing = self.state / "guardian" / "signing.key"
        write_key(signing, "ed25519", self.verdict_key.hex(), seed.hex())
        self.add_principal("admin", "default", ["admin", "operator"])
        self.write_services()
        self.write_registry(1)

    def add_principal(self, principal, tenant, roles, agents=()):
        """Makes keys and a row; write_registry puts it into the file."""
        self.keys[principal] = zmq.curve_keypair()
        row = {"public_key": self.keys[principal][0].decode(), "tenant": tenant}
        row |= {"principal": principal, "roles": roles}
        self.rows.append(row | ({"agents": list(agents)} if agents else {}))

    def write_registry(self, generation, agents=()):
        """Replaces registry.json; agents are (tenant, name), with quotas that no story reaches."""
        lines = [{"generation": generation, "keys": len(self.rows), "agents": len(agents)}]
        roomy = {"max_sandboxes": 10000, "max_memory_mb": 1 << 20, "max_cpu_percent": 100000}
        lines += self.rows
        lines += [{"tenant": t, "name": name, "settings": roomy} for t, name in agents]
        path = self.state / "public" / "registry.json"
        fresh = path.with_suffix(".new")
        fresh.write_text("".join(json.dumps(line) + "\n" for line in lines))
        fresh.chmod(0o644)
        fresh.rename(path)

    def registry(self):
        """(generation, rows, agents as (tenant, name)) of the file."""
        text = (self.state / "public" / "registry.json").read_text()
        head, *rest = [json.loads(line) for line in text.splitlines()]
        agents = [(row["tenant"], row["name"]) for row in rest[head["keys"] :]]
        return head["generation"], rest[: head["keys"]], agents

    def endpoint(self, service, door):
        return f"ipc://{self.run / service / door}"

    def write_services(self):
        def describe(name):
            row = {"service": name, "server_key": self.keys[name][0].decode()}
            row["requests"] = self.endpoint(name, "requests")
            if name == "manager":
                row["events"] = self.endpoint(name, "events")
            if name in ("manager", "audit"):
                row["publish"] = self.endpoint(name, "publish")
            return row

        services = {"instance": self.instance, "verdict_key": self.verdict_key.hex()}
        services["services"] = [describe(name) for name in SERVICES]
        path = self.state / "public" / "services.json"
        path.write_text(json.dumps(services, indent=2))
        path.chmod(0o644)

    def start(self, name, env=None, options=(), must_be_ready=True):
        """Starts a service and waits until it is ready (or, unless it must be, has ended)."""
        service = Service(self, name, env, options)
        self.services.append(service)
        if must_be_ready and not service.is_ready:
            raise AssertionError(f"{name} ended before it was ready:\n{service.log()}")
        return service

    def give_to(self, name, uid):
        """As root: makes a uid the owner of a service's files, as `corral up` does."""
        for folder in (self.root, self.state, self.run):
            folder.chmod(0o711)
        folders = [self.state / name, self.run / name]
        folders += [self.state / "public"] if name == "guardian" else []
        for folder in folders:
            for path in (folder, *folder.rglob("*")):
                os.lchown(path, uid, uid)

    def client(self, principal, service):
        return Client(self, self.keys[principal], service)

    def connection(self, principal):
        """The principal's connection file, as the command line reads it."""
        path = self.root / f"{principal}.json"
        if not path.exists():
            services = json.loads((self.state / "public" / "services.json").read_text())
            tenants = {row["principal"]: row["tenant"] for row in self.rows}
            row = {"tenant": tenants[principal], "principal": principal}
            for name, key in zip(("public_key", "secret_key"), self.keys[principal]):
                row[name] = key.decode()
            path.touch(0o600)
            path.write_text(json.dumps(row | {"services": services["services"]}))
        return path

    def command(self, principal, *words):
        """A running `corral`, which speaks as the principal."""
        words = [self.bin / "corral", *words, "--connect", self.connection(principal)]
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def run_command(self, principal, *words, code=0):
        """(stdout, stderr) of a `corral` that has to end with this exit code; stdout is bytes."""
        process = self.command(principal, *words)
        out, errors = process.communicate(timeout=DEADLINE_S)
        what = f"corral {' '.join(map(str, words))}: exit code {process.returncode}, not {code}"
        assert process.returncode == code, f"{what}\n{out[-2000:]!r}\n{errors.decode()}"
        return out, errors.decode()

    def records(self, service):
        """The events in a service's journal (store/segment.h), oldest first."""
        for segment in sorted((self.state / service / "journal").glob("*/*.seg")):
            data = segment.read_bytes()
            at = 64
            while at + 40 <= len(data) and (size := struct.unpack_from("<I", data, at)[0]):
                yield msgpack.unpackb(data[at + 40 : at + 40 + size])
                at += 40 + (size + 7) // 8 * 8
