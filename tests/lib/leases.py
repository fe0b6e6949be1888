"""Sandboxes made by hand, for stories without a manager: a process in a cgroup, and its lease.

    box = Box(leases, cgroups, ["cat"], memory={"kill_percent": 90}).write_lease()

Leases are what schema/messages/monitor.def says; `cgroups` is a Cgroups of cgroups.py.
"""
import secrets
import subprocess
import time
from pathlib import Path

import msgpack

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
LIMITS = {"cpu_millis": 1000, "memory_mb": 64, "pids": 8, "workspace_mb": 1}


def new_id():
    return "sb_t_" + "".join(secrets.choice(BASE32) for _ in range(26))


def boot_id():
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_ticks(pid):
    """Field 22 of /proc/PID/stat."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


class Box:
    """A sandbox made by hand: a process in a cgroup, and its lease."""

    def __init__(self, leases, cgroups, command, **more):
        self.id = new_id()
        self.leases = leases
        self.cgroup = cgroups.make(self.id)
        self.process = subprocess.Popen(
            command, preexec_fn=self.cgroup.join, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.lease = {"sandbox_id": self.id, "tenant": "default", "agent": "coder"}
        self.lease |= {"runtime": "test", "boot_id": boot_id(), "created_ns": time.time_ns()}
        self.lease |= {"deadline_boot_ns": 10**18}
        self.lease |= {"init_pid": self.process.pid, "init_start": start_ticks(self.process.pid)}
        self.lease |= {"cgroup_mode": self.cgroup.mode, "cgroups": self.cgroup.lease_paths()}
        self.lease |= {"limits": LIMITS} | more

    def write_lease(self, **changes):
        """As the manager does: a file of another name, renamed."""
        write_lease(self.leases, self.id, msgpack.packb(self.lease | changes))
        return self

    def remove_lease(self):
        (self.leases / self.id).unlink()

    def go(self):
        """Lets the process begin with what it is for."""
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()
        return self

    def line(self):
        return self.process.stdout.readline().decode().strip()

    def end(self):
        self.process.kill()
        self.process.wait()

    def mark(self):
        return msgpack.unpackb((self.leases / f"{self.id}.kill").read_bytes())


def write_lease(leases, name, data):
    fresh = leases / "fresh"
    fresh.touch(0o600)
    fresh.write_bytes(data)
    fresh.rename(leases / name)
