"""Sandboxes: make one, find one, list them, end them."""
from __future__ import annotations

import os
import re
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Iterable, List, Mapping

from .client import Client
from .commands import REQUEST_TIMEOUT, Commands, add_wait, assignments, thousandths
from .connection import load
from .errors import InvalidArgumentException, NotFoundException

_MEMORY = re.compile(r"([0-9]+) *(?:(m|mb|mib)|(g|gb|gib))?", re.IGNORECASE)


@dataclass(frozen=True)
class Limits:
    """What a sandbox may use.

    cpus          cores: 1.5 is one and a half
    memory_mb     MiB, swap included
    pids          processes and threads at once
    workspace_mb  MiB of /workspace
    exec_timeout  seconds that a command may run when it does not say
    """

    cpus: float
    memory_mb: int
    pids: int
    workspace_mb: int
    exec_timeout: float


@dataclass(frozen=True)
class Volume:
    """A directory or file of the manager's host in a sandbox; it needs a volume ACL.

    host_path  absolute; of a live sandbox: without links
    path       where it is in the sandbox, such as "/workspace/data"
    mode       "ro" or "rw"
    """

    host_path: str
    path: str
    mode: str = "ro"


@dataclass(frozen=True)
class SandboxInfo:
    """A sandbox as it was when asked for.

    state          "starting", "running", "ending" or "unkillable"
    unenforced     names of limits that do not hold on its host
    execs          commands running in it
    lifetime_left  seconds until it ends itself; None when it does not
    volumes        what it sees of its host
    """

    sandbox_id: str
    tenant: str
    agent: str
    state: str
    runtime: str
    created: datetime
    limits: Limits
    unenforced: tuple[str, ...]
    tags: dict[str, str]
    execs: int
    lifetime_left: float | None
    volumes: tuple[Volume, ...] = ()


def _limits(row: dict) -> Limits:
    return Limits(
        cpus=row.get("cpu_millis", 0) / 1000,
        memory_mb=row.get("memory_mb", 0),
        pids=row.get("pids", 0),
        workspace_mb=row.get("workspace_mb", 0),
        exec_timeout=row.get("exec_timeout_ms", 0) / 1000,
    )


def _info(row: dict) -> SandboxInfo:
    left = row.get("lifetime_left_ms")
    return SandboxInfo(
        sandbox_id=row["sandbox_id"],
        tenant=row["tenant"],
        agent=row["agent"],
        state=row["state"],
        runtime=row["runtime"],
        created=datetime.fromtimestamp(row["created_ns"] / 1e9, timezone.utc),
        limits=_limits(row["limits"]),
        unenforced=tuple(row.get("unenforced", ())),
        tags=dict(tag.partition("=")[::2] for tag in row.get("tags", ())),
        execs=row["execs"],
        lifetime_left=None if left is None else left / 1000,
        volumes=tuple(
            Volume(mount["real_path"], mount["container_path"], mount["mode"])
            for mount in row.get("mounts", ())
        ),
    )


def _memory_mb(memory: int | str) -> int:
    """MiB of 512, "512", "512m" or "1g"."""
    match = _MEMORY.fullmatch(str(memory))
    if not match or not int(match[1]):
        raise InvalidArgumentException(f'memory: {memory!r} is no size such as 512, "512m", "1g"')
    return int(match[1]) * (1024 if match[3] else 1)


def _volume(volume: Volume | str) -> dict:
    """The message `volume` of a Volume or of "HOST:PATH[:ro|rw]"."""
    if isinstance(volume, str):
        text, _, mode = volume.rpartition(":")
        if mode not in ("ro", "rw"):
            text, mode = volume, "ro"
        host, colon, path = text.rpartition(":/")
        if not colon or not host or ":" in path:
            raise InvalidArgumentException(f"volumes: {volume!r} is not HOST:PATH[:ro|rw]")
        volume = Volume(host, f"/{path}", mode)
    return {
        "host_path": volume.host_path,
        "container_path": volume.path,
        "mode": volume.mode,
    }


def _wanted(
    cpus: float | None, memory: int | str | None, pids: int | None, exec_timeout: float | None
) -> dict:
    """The message `limits`: what is named; the configuration has the rest."""
    limits = {}
    if cpus is not None:
        limits["cpu_millis"] = thousandths(cpus, "cpus")
    if memory is not None:
        limits["memory_mb"] = _memory_mb(memory)
    if pids is not None:
        limits["pids"] = pids
    if exec_timeout is not None:
        limits["exec_timeout_ms"] = thousandths(exec_timeout, "exec_timeout")
    return limits


class Sandbox:
    """A running sandbox. For one thread; `with` kills it at the end.

    sandbox_id  names it
    limits      what holds, the configuration's defaults filled in
    unenforced  names of limits that do not hold on its host, by allow_unenforced
    commands    runs commands: commands.run("ls")
    """

    def __init__(self, client: Client, sandbox_id: str, limits: Limits, unenforced: Iterable[str]):
        """For create and connect."""
        self._client = client
        self.sandbox_id = sandbox_id
        self.limits = limits
        self.unenforced = tuple(unenforced)
        self.commands = Commands(client, sandbox_id, limits)

    @classmethod
    def create(
        cls,
        agent: str | None = None,
        *,
        connect: str | os.PathLike | None = None,
        cpus: float | None = None,
        memory: int | str | None = None,
        pids: int | None = None,
        envs: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        exec_timeout: float | None = None,
        volumes: Iterable[Volume | str] = (),
        rules: str | None = None,
        allow_unenforced: Iterable[str] = (),
        request_timeout: float = REQUEST_TIMEOUT,
        wait_approval: float | None = None,
    ) -> Sandbox:
        """Makes a sandbox, once the guardian has allowed it.

        agent             for whom; None: the connection file's own agent
        connect           path of a connection file; None: the one that $CORRAL_CONNECT names
        cpus, memory      cores; MiB, or text such as "512m" or "1g"
        pids              processes and threads at once
        envs              variables for every command
        tags              kept with the sandbox and in the record
        exec_timeout      seconds that a command may run when it does not say
        volumes           what of the manager's host it sees: Volume, or "/srv/x:/workspace/x:ro"
        rules             rules of its own, in TOML: they add to the operator's and raise them
        allow_unenforced  limits that the host need not enforce: "memory", "cpu", "pids"
        request_timeout   seconds to wait; what has not begun by then is not started
        wait_approval     seconds, on top, to wait for a person when it needs approval; None:
                          ApprovalPendingException at once
        """
        connection = load(connect)
        if not (agent := agent or connection.agent):
            raise InvalidArgumentException(f"agent: {connection.path} has none of its own; name it")
        body: dict = {"agent": agent}
        if limits := _wanted(cpus, memory, pids, exec_timeout):
            body["limits"] = limits
        if envs:
            body["env"] = assignments(envs, "envs")
        if tags:
            body["tags"] = assignments(tags, "tags")
        if rows := [_volume(volume) for volume in volumes]:
            body["volumes"] = rows
        if rules:
            body["rules"] = rules
        if names := list(allow_unenforced):
            body["allow_unenforced"] = names
        request_timeout += add_wait(body, wait_approval)
        body["deadline_ms"] = thousandths(request_timeout, "request_timeout")
        client = Client(connection)
        try:
            made = client.ask("sandbox_create", body, request_timeout)
        except BaseException:
            client.close()
            raise
        found = (made["sandbox_id"], _limits(made["limits"]), made.get("unenforced", ()))
        return cls(client, *found)

    @classmethod
    def connect(
        cls,
        sandbox_id: str,
        *,
        connect: str | os.PathLike | None = None,
        request_timeout: float = REQUEST_TIMEOUT,
    ) -> Sandbox:
        """A live sandbox by its id. Raises NotFoundException."""
        client = Client(load(connect))
        try:
            row = client.ask("sandbox_inspect", {"sandbox_id": sandbox_id}, request_timeout)
        except BaseException:
            client.close()
            raise
        return cls(client, sandbox_id, _limits(row["limits"]), row.get("unenforced", ()))

    @classmethod
    def list(
        cls,
        agent: str | None = None,
        *,
        connect: str | os.PathLike | None = None,
        request_timeout: float = REQUEST_TIMEOUT,
    ) -> List[SandboxInfo]:
        """The live sandboxes that the caller may see, by id; only one agent's when it is named."""
        found = []
        body = {"agent": agent} if agent else {}
        with closing(Client(load(connect))) as client:
            while True:
                page = client.ask("sandbox_list", body, request_timeout)
                found += [_info(row) for row in page["sandboxes"]]
                if not (after := page.get("next")):
                    return found
                body["after"] = after

    def get_info(self, *, request_timeout: float = REQUEST_TIMEOUT) -> SandboxInfo:
        """How it is now. Raises NotFoundException once it has ended."""
        body = {"sandbox_id": self.sandbox_id}
        return _info(self._client.ask("sandbox_inspect", body, request_timeout))

    def kill(self, *, request_timeout: float = REQUEST_TIMEOUT) -> bool:
        """Ends it and removes what it left behind. Returns once its cgroup was seen empty: True;
        False when there is no such sandbox any more."""
        try:
            self._client.ask("sandbox_delete", {"sandbox_id": self.sandbox_id}, request_timeout)
        except NotFoundException:
            return False
        return True

    def close(self) -> None:
        """Leaves it: the connection ends, the sandbox lives on."""
        self._client.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_) -> None:
        try:
            self.kill()
        finally:
            self.close()

    def __repr__(self) -> str:
        return f"Sandbox({self.sandbox_id!r})"
