"""A service's journal and its two ways to the audit, as libshared/service/outbox.c has them, for
stories in which a test decides what is lost, repeated and reordered."""
import os
import sqlite3
import time

import msgpack
import zmq

from corral import DEADLINE_S

EVENT = 1


def event(seq, **fields):
    """The payload of a record: an event whose detail is its number."""
    base = {"kind": "command_execute", "phase": "result", "status": "success"}
    return msgpack.packb(base | {"detail": f"record {seq}"} | fields)


class Publisher:
    """A source: `append` writes its journal, `publish` sends live, `settle` speaks like a journal
    until all is acknowledged."""

    def __init__(self, corral, principal="manager", host="host", epoch=1, source=None):
        self.corral, self.epoch = corral, epoch
        self.source = source or f"{principal}@{host}"
        self.records = {}  # seq: record_item
        self.first, self.acked, self.asked, self.refused = 1, 0, 0, None
        keys, server = corral.keys[principal], corral.keys["audit"][0]
        self.truth = self._socket(zmq.DEALER, keys, server, "requests")
        self.live = self._socket(zmq.XPUB, keys, server, "publish")

    def _socket(self, kind, keys, server, door):
        socket = self.corral.context.socket(kind)
        socket.linger = 0
        socket.sndhwm = 100000
        socket.reconnect_ivl = 10
        socket.curve_publickey, socket.curve_secretkey = keys
        socket.curve_serverkey = server
        socket.connect(self.corral.endpoint("audit", door))
        return socket

    def close(self):
        self.truth.close()
        self.live.close()

    def wait_live(self):
        """Until the audit has subscribed: what is published from now on may arrive."""
        assert self.live.poll(DEADLINE_S * 1000), "the audit has not subscribed"
        assert self.live.recv()[:1] == b"\1"

    @property
    def last(self):
        return max(self.records, default=0)

    def append(self, count, payload=event, kind=EVENT, **fields):
        """Adds records to the journal; their numbers."""
        new = range(self.last + 1, self.last + 1 + count)
        for seq in new:
            data = payload(seq, **fields)
            item = {"seq": seq, "wall_ns": 10**18 + seq, "boot_ns": seq, "type": kind}
            self.records[seq] = item | {"payload": data}
        return new

    def body(self, seqs):
        records = [self.records[seq] for seq in seqs]
        return msgpack.packb({"source": self.source, "epoch": self.epoch, "records": records})

    def publish(self, seqs):
        self.live.send_multipart([b"C1.request.record.push", os.urandom(16), self.body(seqs)])

    def send(self, operation, body):
        self.truth.send_multipart([b"C1", os.urandom(16), operation, body])

    def push(self, seqs):
        self.send(b"record.push", self.body(seqs))

    def hello(self):
        body = {"source": self.source, "epoch": self.epoch, "first": self.first, "last": self.last}
        body |= {"major": 1, "minor": 0, "schema": bytes(32)}
        self.send(b"record.hello", msgpack.packb(body))

    def take(self, timeout_ms, answers_questions=True):
        """Handles one answer; False when none came in time."""
        if not self.truth.poll(timeout_ms):
            return False
        _, _, status, body = self.truth.recv_multipart()
        answer = msgpack.unpackb(body)
        if status == b"error":
            self.refused = answer["code"]
            return True
        assert status == b"data"
        if answer["epoch"] != self.epoch:
            return True
        assert answer["upto"] <= self.last, "acknowledged what was never sent"
        self.acked = max(self.acked, answer["upto"])
        if "from" in answer:
            self.asked += 1
            end = min(answer["from"] + answer["credit"] - 1, self.last)
            if answers_questions:
                for at in range(answer["from"], end + 1, 64):
                    self.push(range(at, min(at + 64, end + 1)))
        return True

    def beat(self, upto=None):
        """Says hello and handles answers for the second that a journal waits before the next."""
        self.hello()
        ends = time.monotonic() + 1
        while (left := ends - time.monotonic()) > 0 and (upto is None or self.acked < upto):
            self.take(int(left * 1000) + 1)

    def settle(self):
        """Until all is acknowledged."""
        ends = time.monotonic() + DEADLINE_S
        while self.acked < self.last:
            assert time.monotonic() < ends, f"{self.source}: {self.acked} of {self.last}"
            self.beat(self.last)


def stored(corral, source):
    """{(epoch, seq): (type, payload)} of a source; fails unless gseq is dense."""
    path = corral.state / "audit" / "audit.db"
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        numbers = [row[0] for row in database.execute("SELECT gseq FROM event ORDER BY gseq")]
        assert numbers == list(range(1, len(numbers) + 1)), "gseq is not dense"
        rows = database.execute(
            "SELECT event.epoch, seq, type, body FROM event JOIN source ON source.id = event.source"
            " WHERE name = ? ORDER BY gseq",
            (source,),
        ).fetchall()
    finally:
        database.close()
    assert [row[:2] for row in rows] == sorted({row[:2] for row in rows}), "order or repeats"
    return {row[:2]: row[2:] for row in rows}


def check_all_stored(corral, publisher):
    """Every record exactly once, as it was written."""
    expected = {
        (publisher.epoch, seq): (item["type"], item["payload"])
        for seq, item in publisher.records.items()
    }
    found = stored(corral, publisher.source)
    assert found == expected, f"{len(found)} stored, {len(expected)} written"
