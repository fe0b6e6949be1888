"""Connection files: where the manager is, its key, and one's own. `corral approve-agent` writes
them; the keys are docs/PROTOCOL.md's message `connection`."""
from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from .errors import InvalidArgumentException

ENVIRONMENT = "CORRAL_CONNECT"
_FILE_BYTES = 64 * 1024
_Z85_KEY_CHARACTERS = 40


@dataclass(frozen=True)
class Connection:
    """What a connection file says of the manager. Keys are Z85."""

    path: str
    tenant: str
    principal: str
    agent: str  # "" when the file was not made for an agent
    public_key: str
    secret_key: str = field(repr=False)
    server_key: str
    requests: str  # ZeroMQ endpoint


def _read(path: Path) -> dict:
    """The file as JSON; refused when other users can read it, for it holds a secret key."""
    try:
        with open(path, "rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise InvalidArgumentException(f"{path} is open to other users: chmod 600 {path}")
            found = json.loads(file.read(_FILE_BYTES))
    except OSError as error:
        raise InvalidArgumentException(f"connection file {path}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidArgumentException(f"connection file {path}: {error}") from error
    if not isinstance(found, dict):
        raise InvalidArgumentException(f"connection file {path}: not a JSON object")
    return found


def _text(row: dict, key: str, path: Path) -> str:
    value = row.get(key)
    is_key = key.endswith("_key")
    if not isinstance(value, str) or (is_key and len(value) != _Z85_KEY_CHARACTERS):
        raise InvalidArgumentException(f"connection file {path}: {key} is missing or wrong")
    return value


def load(path: str | os.PathLike | None) -> Connection:
    """Reads a connection file; without a path the one that $CORRAL_CONNECT names."""
    chosen = path or os.environ.get(ENVIRONMENT)
    if not chosen:
        raise InvalidArgumentException(
            f"no connection file: give connect= or set {ENVIRONMENT}; "
            "corral approve-agent NAME makes one"
        )
    chosen = Path(chosen)
    row = _read(chosen)
    services = row.get("services")
    rows = services if isinstance(services, list) else []
    managers = [s for s in rows if isinstance(s, dict) and s.get("service") == "manager"]
    if not managers:
        raise InvalidArgumentException(f"connection file {chosen}: services names no manager")
    return Connection(
        path=str(chosen),
        tenant=_text(row, "tenant", chosen),
        principal=_text(row, "principal", chosen),
        agent=_text(row, "agent", chosen) if "agent" in row else "",
        public_key=_text(row, "public_key", chosen),
        secret_key=_text(row, "secret_key", chosen),
        server_key=_text(managers[0], "server_key", chosen),
        requests=_text(managers[0], "requests", chosen),
    )
