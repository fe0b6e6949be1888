"""Corral for Python: commands of AI agents in sandboxes that are judged, watched and recorded.

    from corral import Sandbox

    with Sandbox.create() as sandbox:
        print(sandbox.commands.run("uname -a").stdout)

Names are E2B's where it has them. Durations are seconds, memory is MiB. An object belongs to one
thread: make one Sandbox a thread, for example with Sandbox.connect.
"""
from .commands import CommandResult, Commands, Usage
from .errors import (
    ApprovalPendingError,
    ApprovalPendingException,
    AuthenticationException,
    CommandExitException,
    CorralError,
    GuardianUnavailableException,
    InvalidArgumentException,
    LostException,
    NotFoundException,
    PolicyDeniedException,
    QuotaException,
    RateLimitException,
    SandboxError,
    SandboxException,
    SandboxResourceError,
    SandboxTimeoutError,
    TimeoutException,
    UnavailableException,
    UnenforcedException,
)
from .sandbox import Limits, Sandbox, SandboxInfo, Volume

__all__ = [
    "ApprovalPendingError",
    "ApprovalPendingException",
    "AuthenticationException",
    "CommandExitException",
    "CommandResult",
    "Commands",
    "CorralError",
    "GuardianUnavailableException",
    "InvalidArgumentException",
    "Limits",
    "LostException",
    "NotFoundException",
    "PolicyDeniedException",
    "QuotaException",
    "RateLimitException",
    "Sandbox",
    "SandboxError",
    "SandboxException",
    "SandboxInfo",
    "SandboxResourceError",
    "SandboxTimeoutError",
    "TimeoutException",
    "UnavailableException",
    "UnenforcedException",
    "Usage",
    "Volume",
]
