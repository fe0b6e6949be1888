"""Acts as the manager asks about them, for stories that play it."""
import hashlib

import msgpack

LIMITS = {"cpu_millis": 800, "memory_mb": 512, "pids": 256, "workspace_mb": 256}
LIMITS |= {"exec_timeout_ms": 300000}
ORDER = "tenant agent operation sandbox_id argv script cwd env user limits unenforced"
ORDER = (ORDER + " mounts rules").split()


def act(agent="coder", operation="command_execute", **more):
    """An act of tenant default with these fields on top."""
    row = {"tenant": "default", "agent": agent, "operation": operation, "sandbox_id": "sb_1"}
    return row | {"user": "agent", "limits": LIMITS} | more


def act_hash(row):
    """As engine/record/act.h says: fields in the order of the table."""
    packed = msgpack.packb({name: row[name] for name in ORDER if name in row})
    return hashlib.blake2b(packed, digest_size=32, key=b"corral act hash 1").digest()
