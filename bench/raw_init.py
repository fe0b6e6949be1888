"""corral-init driven by nothing: the frames of init/frame.def over its unix socket, no sandbox, no
guardian, no journal. What a command costs at the very least once there is an init."""
import os
import shutil
import socket
import struct
import subprocess
import tempfile
from pathlib import Path

import msgpack

HELLO, SPAWNED, EXITED, EXECS = 1, 2, 5, 8
WELCOME, SPAWN, OPEN_GATE, FORGET = 32, 33, 34, 38
HEAD = struct.Struct(">IIB")


class RawInit:
    """A running corral-init, for a `with`."""

    def __init__(self, bin_dir):
        self.program = Path(bin_dir) / "corral-init"
        self.number = 0
        self.unread = b""

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="corral-bench-"))
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(self.folder / "init"))
            door.listen()
            self.process = subprocess.Popen([self.program, self.folder / "init"])
            self.socket, _ = door.accept()
        self.expect(HELLO)
        self.send(0, WELCOME, token=b"\5" * 32, deadline_boot_ns=0)
        self.expect(EXECS)
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    def send(self, number, kind, **fields):
        body = msgpack.packb(fields)
        self.socket.sendall(HEAD.pack(len(body) + 5, number, kind) + body)

    def is_whole(self):
        unread = self.unread
        return len(unread) >= HEAD.size and len(unread) >= 4 + HEAD.unpack_from(unread)[0]

    def receive(self):
        """(kind, body) of the next frame."""
        while not self.is_whole():
            data, fds, _, _ = socket.recv_fds(self.socket, 65536, 8)
            for fd in fds:
                os.close(fd)
            assert data, "init has gone"
            self.unread += data
        size, _, kind = HEAD.unpack_from(self.unread)
        body = self.unread[HEAD.size : 4 + size]
        self.unread = self.unread[4 + size :]
        return kind, body

    def expect(self, kind):
        got, body = self.receive()
        assert got == kind, f"init said {got}, not {kind}"
        return msgpack.unpackb(body)

    def run(self, path):
        """From SPAWN to EXITED."""
        self.number += 1
        order = {"argv": path.encode() + b"\0", "env": b"", "cwd": "/", "open_stdin": False}
        self.send(self.number, SPAWN, **order, window_bytes=65536, drain_ms=100)
        self.expect(SPAWNED)
        self.send(self.number, OPEN_GATE)
        assert self.expect(EXITED)["status"] == 0
        self.send(self.number, FORGET)
