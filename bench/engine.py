"""A Docker engine, asked by its API over its unix socket: the one that runs, or a private one that
is started here in a temporary directory and ended by its pid."""
import http.client
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

SOCKET = "/var/run/docker.sock"
API = "/v1.41"
IMAGE = "corral-bench"
START_S = 60


class Missing(Exception):
    """Why there is no engine to compare with."""


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=120)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def busybox_image():
    """A tar of a root with nothing but busybox and /bin/true."""
    program = shutil.which("busybox")
    if not program:
        raise Missing("there is no busybox to make an image of (package busybox-static)")
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.add(os.path.realpath(program), "bin/busybox")
        link = tarfile.TarInfo("bin/true")
        link.type, link.linkname = tarfile.SYMTYPE, "busybox"
        tar.addfile(link)
    return data.getvalue()


class Engine:
    """For a `with`: an engine and one running container."""

    def __init__(self):
        self.folder = self.daemon = self.container = None
        self.socket = SOCKET

    def __enter__(self):
        image = busybox_image()
        try:
            if not self.is_there():
                self.start()
            self.ask("POST", f"/images/create?fromSrc=-&repo={IMAGE}", image, "application/x-tar")
            self.container = self.create()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            if self.container:
                self.remove(self.container)
                self.ask("DELETE", f"/images/{IMAGE}?force=1")
        finally:
            self.end()

    def is_there(self):
        try:
            self.ask("GET", "/version")
        except OSError:
            return False
        return True

    def start(self):
        """Starts an engine of our own: nothing of the host's network or storage is touched."""
        program = shutil.which("dockerd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if not program:
            raise Missing("no Docker engine runs and dockerd is not installed (package docker.io)")
        if os.geteuid():
            raise Missing("no Docker engine runs, and only root may start one")
        self.folder = Path(tempfile.mkdtemp(prefix="corral-engine-"))
        self.socket = str(self.folder / "socket")
        self.cgroup = f"corral-bench-{os.getpid()}"
        options = ["--data-root", self.folder / "data", "--exec-root", self.folder / "exec"]
        options += ["--pidfile", self.folder / "pid", "--host", f"unix://{self.socket}"]
        options += ["--bridge=none", "--iptables=false", "--ip6tables=false"]
        options += ["--storage-driver=vfs", f"--cgroup-parent=/{self.cgroup}"]
        with open(self.folder / "log", "wb") as log:
            self.daemon = subprocess.Popen([program, *options], stdout=log, stderr=log)
        give_up = time.monotonic() + START_S
        while not self.is_there():
            if self.daemon.poll() is not None or time.monotonic() > give_up:
                last = (self.folder / "log").read_text(errors="replace").strip().split("\n")[-1]
                raise Missing(f"dockerd does not start here: {last}")
            time.sleep(0.05)

    def end(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(START_S)
            remove_cgroups(self.cgroup)
        if self.folder:
            for line in Path("/proc/self/mounts").read_text().splitlines():
                if line.split()[1].startswith(f"{self.folder}/"):
                    subprocess.run(["umount", line.split()[1]], check=True)
            shutil.rmtree(self.folder)

    def ask(self, method, path, body=None, kind="application/json"):
        """The answer's body; JSON when it is."""
        connection = Connection(self.socket)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection.request(method, API + path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if answer.status >= 300:
            raise Missing(f"{method} {path.split('?')[0]}: {data.decode(errors='replace').strip()}")
        if answer.getheader("Content-Type", "") != "application/json" or data.count(b"\n") > 1:
            return data
        return json.loads(data)

    def create(self):
        """A running container; its id."""
        what = {"Image": IMAGE, "Cmd": ["/bin/busybox", "sleep", "1000000"]}
        what |= {"HostConfig": {"NetworkMode": "none"}}
        made = self.ask("POST", "/containers/create", what)["Id"]
        self.ask("POST", f"/containers/{made}/start", b"")
        return made

    def remove(self, container):
        self.ask("DELETE", f"/containers/{container}?force=1&v=1")

    def run(self, path, container=None):
        """What docker exec does: create, start, read to the end, ask for the exit code."""
        what = {"Cmd": [path], "AttachStdout": True, "AttachStderr": True}
        made = self.ask("POST", f"/containers/{container or self.container}/exec", what)["Id"]
        self.ask("POST", f"/exec/{made}/start", {"Detach": False, "Tty": False})
        ended = self.ask("GET", f"/exec/{made}/json")
        assert ended["ExitCode"] == 0, ended

    def name(self):
        version = self.ask("GET", "/version")["Version"]
        return f"Docker {version}" + (", an engine of our own" if self.daemon else "")

    def resident_kib(self):
        """Of the daemon and its containerd; None when the engine is not ours: others use it."""
        return sum(tree_of(self.daemon.pid)) if self.daemon else None

    def shims_kib(self):
        """Resident KiB of the shim that the engine keeps for each container."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes()
                if b"containerd-shim" in words and str(self.folder).encode() in words:
                    found.append(resident_kib(int(path.parent.name)))
            except OSError:
                continue
        return found


def remove_cgroups(name):
    """Removes empty cgroups of this name, in every tree."""
    for folder, names, _ in os.walk("/sys/fs/cgroup"):
        if name in names:
            names.remove(name)
            Path(folder, name).rmdir()


def resident_kib(pid):
    """VmRSS of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def tree_of(pid):
    """Resident KiB of a process and of each below it."""
    yield resident_kib(pid)
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from tree_of(int(child))
