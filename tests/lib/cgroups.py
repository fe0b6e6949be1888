"""Control groups of a test's own, below the cgroup that it runs in, for stories without a manager.

    with Cgroups(instance) as cgroups:
        box = cgroups.make("sandbox")
        subprocess.Popen(…, preexec_fn=box.join)

Nothing outside its own cgroup is touched; what was made is killed and removed when the `with` ends.
"""
import contextlib
import os
import time
from pathlib import Path

CONTROLLERS = ("memory", "pids", "cpu", "cpuacct", "freezer")
WAIT_S = 20


class Missing(Exception):
    """What this host lacks."""


def mounts():
    """{tree: (root, mount point)} of the hierarchies that this mount namespace shows."""
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, rest = line.split(" - ")
        root, point = fields.split()[3:5]
        kind, _, options = rest.split()[:3]
        if kind == "cgroup2":
            found.setdefault("unified", (root, point))
        elif kind == "cgroup":
            for name in set(options.split(",")) & set(CONTROLLERS):
                found.setdefault(name, (root, point))
    return found


def own_directories():
    """{tree: directory} of the cgroups that this process is in."""
    places, own = mounts(), {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, names, path = line.split(":", 2)
        for name in ["unified"] if number == "0" else names.split(","):
            root, point = places.get(name, (None, None))
            if root is not None and (path + "/").startswith(root.rstrip("/") + "/"):
                own[name] = Path(point + path[len(root.rstrip("/")) :])
    return own


class Cgroup:
    """One made by Cgroups.make: a directory in each tree."""

    def __init__(self, mode, paths):
        self.mode = mode
        self.paths = paths

    def join(self):
        """Moves the calling process in."""
        for path in self.paths.values():
            (path / "cgroup.procs").write_text("0")

    def lease_paths(self):
        """As a lease has them."""
        return [f"{tree} {path}" for tree, path in self.paths.items()]

    def freeze(self):
        """Stops all inside by the v1 freezer, which a SIGKILL does not end."""
        (self.paths["freezer"] / "freezer.state").write_text("FROZEN")
        while (self.paths["freezer"] / "freezer.state").read_text() != "FROZEN\n":
            os.sched_yield()

    def thaw(self):
        (self.paths["freezer"] / "freezer.state").write_text("THAWED")

    def remove(self):
        """Kills all inside and removes the directories; fine when they are gone."""
        if "freezer" in self.paths and self.paths["freezer"].exists():
            self.thaw()
        deadline = time.monotonic() + WAIT_S
        for path in self.paths.values():
            while path.exists() and time.monotonic() < deadline:
                for pid in map(int, (path / "cgroup.procs").read_text().split()):
                    with contextlib.suppress(ProcessLookupError):  # it died by itself meanwhile
                        os.kill(pid, 9)
                try:
                    path.rmdir()
                except OSError:
                    os.sched_yield()  # the dead are still being counted


class Cgroups:
    """The tree corral-<instance>."""

    def __init__(self, instance):
        own = own_directories()
        self.mode = "hybrid" if "memory" in own and "unified" in own else "v1"
        if "memory" not in own:
            raise Missing("v1 controllers: this story makes cgroups by itself, and only those")
        self.base = {tree: path / f"corral-{instance}" for tree, path in own.items()}
        self.made = []

    def __enter__(self):
        for path in self.base.values():
            try:
                path.mkdir()
            except OSError as error:
                self.__exit__()
                raise Missing(f"a cgroup that may be written: {error}") from error
        return self

    def __exit__(self, *_):
        for cgroup in self.made:
            cgroup.remove()
        for path in self.base.values():
            if path.exists():
                path.rmdir()

    def make(self, name):
        paths = {tree: path / name for tree, path in self.base.items()}
        for path in paths.values():
            path.mkdir()
        self.made.append(Cgroup(self.mode, paths))
        return self.made[-1]
