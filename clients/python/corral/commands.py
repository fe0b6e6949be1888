"""Commands in a sandbox: `sandbox.commands.run(…)` and how they ended."""
from __future__ import annotations

import codecs
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Mapping, Sequence

from .client import Client
from .errors import CommandExitException, InvalidArgumentException

if TYPE_CHECKING:
    from .sandbox import Limits

WINDOW_BYTES = 256 * 1024  # of output under way; both streams together
KEPT_BYTES = 64 * 1024  # of each stream, in a result
REQUEST_TIMEOUT = 30.0  # seconds for all but the command itself: judging, starting, killing

# What a shell would say of a command that did not end by itself; of a signal it is 128 + number.
_EXIT_CODES = {
    "timeout": 124,
    "lost": 125,
    "not_executable": 126,
    "not_found": 127,
    "cancelled": 130,
    "oom": 137,
    "killswitch": 137,
    "revoked": 137,
    "sandbox_gone": 137,
}
_FAILED = 125


@dataclass(frozen=True)
class Usage:
    """What a command used; None where the host's kernel does not say."""

    duration_ms: int
    cpu_ms: int | None
    memory_peak_bytes: int | None


@dataclass(frozen=True)
class CommandResult:
    """How a command ended.

    exit_code      its own when cause is "exited"; otherwise what a shell would say (timeout 124,
                   not_executable 126, not_found 127, signal 128 + number, killed 137, lost 125)
    cause          exited, signal, timeout, oom, killswitch, revoked, cancelled, sandbox_gone,
                   not_found, not_executable or lost; never guessed from an exit code
    ran            whether any of it ran
    signal         the number of the signal that ended it, or None
    rule           cause killswitch: the threshold that was crossed; otherwise ""
    stdout_bytes   the newest 64 KiB of stdout, exact; `stdout` is the same as text
    stderr_bytes   likewise
    stdout_size    bytes that stdout carried in all; stderr_size likewise
    dropped_bytes  output that is neither here nor went to a callback
    op_id          the command's number in the record; verdict_id is the guardian's verdict
    """

    exit_code: int
    cause: str
    ran: bool
    signal: int | None
    rule: str
    stdout_bytes: bytes
    stderr_bytes: bytes
    stdout_size: int
    stderr_size: int
    dropped_bytes: int
    usage: Usage
    op_id: str
    verdict_id: str

    @property
    def stdout(self) -> str:
        """stdout as UTF-8; other bytes become surrogates ("surrogateescape"), so none is lost."""
        return self.stdout_bytes.decode("utf-8", "surrogateescape")

    @property
    def stderr(self) -> str:
        """stderr, as stdout."""
        return self.stderr_bytes.decode("utf-8", "surrogateescape")


class _Output:
    """A stream that arrives in chunks: passes each byte on once, keeps the newest, counts the
    missing."""

    def __init__(self, callback: Callable[[str], None] | None):
        self.callback = callback
        self.decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self.tail = bytearray()
        self.end = 0  # offset behind the newest byte
        self.taken = 0
        self.cut = 0  # bytes that fell out of the tail and that no callback has seen

    def take(self, offset: int, data: bytes) -> int:
        """Takes a chunk, which may repeat what came; returns how far the stream has advanced."""
        fresh = data[max(0, self.end - offset) :]
        advanced = max(0, offset + len(data) - self.end)
        self.end += advanced
        self.taken += len(fresh)
        self.tail += fresh
        if (extra := len(self.tail) - KEPT_BYTES) > 0:
            del self.tail[:extra]
            self.cut += 0 if self.callback else extra
        self._pass_on(self.decoder.decode(fresh))
        return advanced

    def finish(self) -> None:
        self._pass_on(self.decoder.decode(b"", True))

    def _pass_on(self, text: str) -> None:
        if self.callback and text:
            self.callback(text)


class _Stream:
    """The output of a running command, taken with credit."""

    def __init__(
        self,
        client: Client,
        on_stdout: Callable[[str], None] | None,
        on_stderr: Callable[[str], None] | None,
    ):
        self.client = client
        self.outputs = {"stdout": _Output(on_stdout), "stderr": _Output(on_stderr)}
        self.op_id = ""
        self.owed = 0  # bytes taken and not yet acknowledged

    def on_data(self, chunk: dict) -> None:
        self.op_id = chunk["op_id"]
        if "stream" not in chunk:
            return
        output = self.outputs[chunk["stream"]]
        self.owed += output.take(chunk.get("offset", 0), chunk.get("data", b""))
        if self.owed >= WINDOW_BYTES // 4:
            self._acknowledge(self.owed)

    def on_again(self) -> None:
        """After a lost connection nothing is under way; what was is found missing by its offsets.
        The manager bounds credit by what it has sent."""
        if self.op_id:
            self._acknowledge(WINDOW_BYTES)

    def _acknowledge(self, size: int) -> None:
        self.client.tell("op.credit", {"op_id": self.op_id, "bytes": min(size, 4 * WINDOW_BYTES)})
        self.owed = 0

    def cancel(self) -> None:
        if self.op_id:
            self.client.tell("op.cancel", {"op_id": self.op_id})

    def finish(self, answer: dict) -> dict:
        """The result with the streams' tails. What it says itself (why nothing ran) is passed on
        as output, too."""
        outputs, missing = self.outputs, 0
        for name, output in outputs.items():
            missing += max(0, answer.get(f"{name}_bytes", 0) - output.taken)
            output.take(output.end, answer.get(name, b""))
            output.finish()
            missing += output.cut
        tails = {name: bytes(output.tail) for name, output in outputs.items()}
        return answer | tails | {"dropped_bytes": missing}


def thousandths(value: float, name: str) -> int:
    """Seconds as milliseconds, cores as millicores: whole ones, rounded up."""
    if not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise InvalidArgumentException(f"{name}: {value!r} is no number above 0")
    return math.ceil(value * 1000)


def add_wait(body: dict, wait_approval: float | None) -> float:
    """Puts a wait for a person into a request; the seconds by which that takes longer."""
    if wait_approval is None:
        return 0
    body["approval_wait_ms"] = thousandths(wait_approval, "wait_approval")
    return wait_approval


def assignments(values: Mapping[str, str], name: str) -> list[str]:
    """K=V for each pair."""
    for key, value in values.items():
        if not isinstance(key, str) or not isinstance(value, str) or "=" in key:
            raise InvalidArgumentException(f"{name}: {key!r} must be text without =, its value too")
    return [f"{key}={value}" for key, value in values.items()]


def _result(answer: dict) -> CommandResult:
    cause, used = answer["cause"], answer["usage"]
    signal = answer.get("signal")
    exit_code = _EXIT_CODES.get(cause, _FAILED)
    if cause == "exited":
        exit_code = answer["exit_code"]
    elif cause == "signal" and signal:
        exit_code = 128 + signal
    return CommandResult(
        exit_code=exit_code,
        cause=cause,
        ran=answer["ran"],
        signal=signal,
        rule=answer.get("rule", ""),
        stdout_bytes=answer.get("stdout", b""),
        stderr_bytes=answer.get("stderr", b""),
        stdout_size=answer.get("stdout_bytes", 0),
        stderr_size=answer.get("stderr_bytes", 0),
        dropped_bytes=answer.get("dropped_bytes", 0),
        usage=Usage(used["duration_ms"], used.get("cpu_ms"), used.get("memory_peak_bytes")),
        op_id=answer["op_id"],
        verdict_id=answer["verdict_id"],
    )


class Commands:
    """Runs commands in one sandbox; made by Sandbox."""

    def __init__(self, client: Client, sandbox_id: str, limits: Limits):
        self._client = client
        self._sandbox_id = sandbox_id
        self._limits = limits

    def run(
        self,
        cmd: str | Sequence[str],
        timeout: float | None = 60,
        cwd: str | None = None,
        envs: Mapping[str, str] | None = None,
        on_stdout: Callable[[str], None] | None = None,
        on_stderr: Callable[[str], None] | None = None,
        *,
        check: bool = False,
        request_timeout: float = REQUEST_TIMEOUT,
        wait_approval: float | None = None,
    ) -> CommandResult:
        """Runs a command to its end; the result says how it ended, whatever the exit code.

        cmd              a string for the sandbox's sh -c, or a list: program and arguments
        timeout          seconds after which it is killed with all that it started (cause
                         "timeout", its output so far in the result); None: the sandbox's default
        cwd              absolute path; None: /workspace
        envs             variables on top of the sandbox's
        on_stdout        gets the output as it comes, in order and whole, as text that
        on_stderr        `encode("utf-8", "surrogateescape")` turns into the exact bytes. While a
                         callback works, the command waits. One that raises cancels the command
        check            raises CommandExitException unless it exits with 0
        request_timeout  seconds for the rest: a command that has not begun by then is not started
        wait_approval    seconds, on top, to wait for a person when the command needs approval;
                         None: ApprovalPendingException at once

        Raises PolicyDeniedException and the others of errors.py; a command that ran raises nothing.
        """
        body: dict = {"sandbox_id": self._sandbox_id}
        body |= {"command": cmd} if isinstance(cmd, str) else {"argv": list(cmd)}
        if timeout is not None:
            body["timeout_ms"] = thousandths(timeout, "timeout")
        if cwd is not None:
            body["cwd"] = cwd
        if envs:
            body["env"] = assignments(envs, "envs")
        request_timeout += add_wait(body, wait_approval)
        body["deadline_ms"] = thousandths(request_timeout, "request_timeout")
        wait = (self._limits.exec_timeout if timeout is None else timeout) + request_timeout
        if on_stdout or on_stderr:
            answer = self._stream(body, wait, on_stdout, on_stderr)
        else:
            answer = self._client.ask("command_execute", body, wait)
        result = _result(answer)
        if check and result.exit_code != 0:
            raise CommandExitException(result)
        return result

    def _stream(
        self,
        body: dict,
        wait: float,
        on_stdout: Callable[[str], None] | None,
        on_stderr: Callable[[str], None] | None,
    ) -> dict:
        stream = _Stream(self._client, on_stdout, on_stderr)
        body |= {"stream": True, "window_bytes": WINDOW_BYTES}
        try:
            answer = self._client.ask(
                "command_execute", body, wait, stream.on_data, stream.on_again
            )
        except BaseException:
            stream.cancel()
            raise
        return stream.finish(answer)
