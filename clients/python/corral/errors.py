"""What can go wrong, as exceptions: one class for each thing that a program does differently.

    CorralError = SandboxException = SandboxError
        TimeoutException = SandboxTimeoutError   no answer in time, or too late to begin
        SandboxResourceError                     a bound is reached
            QuotaException                       of the agent or tenant
            RateLimitException                   of the service, or one's share of it: retry_after
            UnenforcedException                  this host cannot enforce a limit
        PolicyDeniedException                    the guardian's no, with rule, reason and hint
        ApprovalPendingException = ApprovalPendingError
                                                 a person has to say yes first: approval_id
        GuardianUnavailableException             no verdict came, so the answer is no
        AuthenticationException                  the key is refused, or may not do this
        NotFoundException                        absent, or somebody else's: the two look alike
        InvalidArgumentException                 the request breaks a rule; the text names the field
        UnavailableException                     the service cannot be reached or takes no new work
        LostException                            a service died meanwhile; the outcome is not known
        CommandExitException                     run(check=True): the command did not end well
"""
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .commands import CommandResult


class CorralError(Exception):
    """Base of all.

    code        as docs/ERRORS.md lists them: "denied", "not_found", …
    text        what failed, to what, why, and what to do
    request_id  hex; "" when nothing was sent
    """

    def __init__(self, text: str, code: str = "", request_id: str = ""):
        super().__init__(text)
        self.text = text
        self.code = code
        self.request_id = request_id


class TimeoutException(CorralError):
    """No answer came within the time given (code "lost": what became of it is not known), or work
    had not begun by the deadline (code "deadline": nothing was done)."""


class SandboxResourceError(CorralError):
    """A bound is reached; nothing was done."""


class QuotaException(SandboxResourceError):
    """A quota of the agent or tenant is used up; the text has the limit and the use."""


class RateLimitException(SandboxResourceError):
    """A bound of the service is reached. `retry_after`: seconds after which a retry has a chance;
    None when the service did not say."""

    retry_after: float | None = None


class UnenforcedException(SandboxResourceError):
    """This host cannot enforce the limit that the text names; `allow_unenforced` accepts that."""


class _JudgedException(CorralError):
    """The guardian's word is not a yes. Nothing ran.

    rule        the rule that decided; `rules` are all that matched
    risk        "low", "medium", "high" or "critical"
    reason      what the guardian saw
    hint        what may be done instead; "" when there is nothing
    verdict_id  as the record has it
    """

    rule: str = ""
    rules: tuple[str, ...] = ()
    risk: str = ""
    reason: str = ""
    hint: str = ""
    verdict_id: str = ""


class PolicyDeniedException(_JudgedException):
    """The guardian's policy, or a person, forbids the act. Nothing ran."""


class ApprovalPendingException(_JudgedException):
    """The act needs a person's approval, and nobody has given it. Nothing was done; once it is
    given, the same call runs.

    approval_id  what a person decides on: corral approvals show, allow or deny
    """

    approval_id: str = ""


class GuardianUnavailableException(CorralError):
    """No valid verdict came in time, so the answer is no. Nothing was done."""


class AuthenticationException(CorralError):
    """The service refuses this key, or its roles and agents do not include this."""


class NotFoundException(CorralError):
    """There is no such sandbox, or it is not yours: the two are answered alike."""


class InvalidArgumentException(CorralError):
    """An argument or the connection file is wrong; the text names it. Nothing was done."""


class UnavailableException(CorralError):
    """The manager cannot be reached, or takes no new work. Nothing was done."""


class LostException(CorralError):
    """A service or host died while the request was carried out; the record says so too."""


class CommandExitException(CorralError):
    """The command did not end well; `result` is its CommandResult."""

    def __init__(self, result: CommandResult):
        super().__init__(f"the command ended with {result.exit_code} ({result.cause})")
        self.result = result


SandboxException = SandboxError = CorralError
SandboxTimeoutError = TimeoutException
ApprovalPendingError = ApprovalPendingException

_CLASSES = {
    "invalid": InvalidArgumentException,
    "replay_mismatch": InvalidArgumentException,
    "forbidden": AuthenticationException,
    "not_found": NotFoundException,
    "denied": PolicyDeniedException,
    "approval_pending": ApprovalPendingException,
    "guardian_unavailable": GuardianUnavailableException,
    "restricted": UnavailableException,
    "unavailable": UnavailableException,
    "overloaded": RateLimitException,
    "quota": QuotaException,
    "unenforced": UnenforcedException,
    "deadline": TimeoutException,
    "lost": LostException,
}


def of_failure(failure: dict, request_id: str) -> CorralError:
    """The exception for the body of an "error" answer. Codes of newer services are CorralError."""
    code = failure.get("code", "")
    error = _CLASSES.get(code, CorralError)(failure.get("text", ""), code, request_id)
    if isinstance(error, _JudgedException):
        for name in ("rule", "risk", "reason", "hint", "verdict_id"):
            setattr(error, name, failure.get(name, ""))
        error.rules = tuple(failure.get("rules", ()))
    if isinstance(error, ApprovalPendingException):
        error.approval_id = failure.get("approval_id", "")
    if isinstance(error, RateLimitException) and "retry_after_ms" in failure:
        error.retry_after = failure["retry_after_ms"] / 1000
    return error
