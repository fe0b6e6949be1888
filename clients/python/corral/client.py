"""Asks a manager: one DEALER with CURVE, one request at a time.

A request goes out once for each connection that is made while its answer is awaited, always with
the same id and the same bytes, so the manager does it once: an id that it still works on attaches,
one that is finished gets its stored reply. With ZMQ_IMMEDIATE nothing waits in a queue for a
manager that is not there, and heartbeats end connections that are dead.
"""
from __future__ import annotations

import os
import time
from typing import Callable

import msgpack
import zmq
from zmq.utils.monitor import recv_monitor_message

from .connection import Connection
from .errors import (
    AuthenticationException,
    CorralError,
    InvalidArgumentException,
    TimeoutException,
    UnavailableException,
    of_failure,
)

VERSION = b"C1"
_CONNECT_S = 5.0  # a manager that takes no connection within this does not run
_HEARTBEAT_MS = 5000
_SILENCE_MS = 15000  # a peer that answers no heartbeat for so long is gone
_REFUSED = 400  # the status of a ZAP handler that does not know the key
_EVENTS = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_DISCONNECTED
)


class _Request:
    def __init__(self, operation: str, body: dict):
        self.id = os.urandom(16)
        self.operation = operation
        self.is_sent = False
        try:
            packed = msgpack.packb(body)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidArgumentException(f"{operation}: {error}") from error
        self.frames = [VERSION, self.id, operation.encode(), packed]


class Client:
    """A connection to the manager of a connection file. For one thread."""

    def __init__(self, connection: Connection):
        self.connection = connection
        self._is_connected = False
        self._is_strange = False  # something answers there, but not with the server's key
        context = zmq.Context.instance()
        self._socket = context.socket(zmq.DEALER)
        self._monitor = context.socket(zmq.PAIR)
        self._watch()
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)
        self._connect()

    def _watch(self) -> None:
        """Lets events of the connection come to the monitor. Unbounded: libzmq's I/O thread waits
        for room, and with it every socket of the process."""
        endpoint = f"inproc://corral-{os.urandom(16).hex()}"
        self._monitor.rcvhwm = 0
        self._socket.monitor(endpoint, _EVENTS)
        self._monitor.connect(endpoint)

    def _connect(self) -> None:
        at = self.connection
        self._socket.linger = 0
        self._socket.immediate = 1
        self._socket.heartbeat_ivl = _HEARTBEAT_MS
        self._socket.heartbeat_timeout = _SILENCE_MS
        try:
            self._socket.curve_publickey = at.public_key.encode()
            self._socket.curve_secretkey = at.secret_key.encode()
            self._socket.curve_serverkey = at.server_key.encode()
            self._socket.connect(at.requests)
        except (zmq.ZMQError, ValueError) as error:
            self.close()
            raise InvalidArgumentException(f"connection file {at.path}: {error}") from error

    def close(self) -> None:
        """Ends the connection; nothing else happens at the manager. Fine twice."""
        if not self._socket.closed:
            self._socket.monitor(None, 0)  # before its reader: an event without one halts libzmq
            self._monitor.close(0)
            self._socket.close(0)

    def tell(self, operation: str, body: dict) -> None:
        """Sends a request whose answer nobody awaits; nothing when there is no connection."""
        self._send(_Request(operation, body))

    def ask(
        self,
        operation: str,
        body: dict,
        timeout: float,
        on_data: Callable[[dict], None] | None = None,
        on_again: Callable[[], None] | None = None,
    ) -> dict:
        """The body of the "ok" answer; an exception for an error, after `timeout` seconds, or when
        there is nobody to send to.

        on_data   gets the body of each "data" answer
        on_again  is called when the request has been sent again over a new connection
        """
        if self._socket.closed:
            raise InvalidArgumentException("this Sandbox object was closed")
        request = _Request(operation, body)
        begun = time.monotonic()
        if self._is_connected:
            self._send(request)
        while (left := begun + self._patience(request, timeout) - time.monotonic()) > 0:
            ready = dict(self._poller.poll(left * 1000))
            if self._monitor in ready and self._take_event():
                is_again = request.is_sent
                self._send(request)
                if is_again and on_again:
                    on_again()
            if self._socket in ready and (answer := self._receive(request)):
                status, found = answer
                if status == b"ok":
                    return found
                if status == b"error":
                    raise of_failure(found, request.id.hex())
                if on_data:
                    on_data(found)
        raise self._late(request, timeout)

    @staticmethod
    def _patience(request: _Request, timeout: float) -> float:
        """How long to wait in all, in seconds."""
        return timeout if request.is_sent else min(timeout, _CONNECT_S)

    def _send(self, request: _Request) -> None:
        try:
            self._socket.send_multipart(request.frames, zmq.NOBLOCK)
            request.is_sent = True
        except zmq.Again:
            pass  # the connection is gone; the next one carries it

    def _take_event(self) -> bool:
        """Takes one event of the connection; True when there is a new one."""
        event = recv_monitor_message(self._monitor)
        kind, at = event["event"], self.connection
        self._is_connected = kind == zmq.EVENT_HANDSHAKE_SUCCEEDED
        if kind == zmq.EVENT_HANDSHAKE_FAILED_AUTH and event["value"] == _REFUSED:
            raise AuthenticationException(
                f"the manager does not know the key of {at.principal} in {at.path}; "
                "was the agent revoked? corral approve-agent makes a new file",
                "forbidden",
            )
        if kind != zmq.EVENT_DISCONNECTED:
            self._is_strange = not self._is_connected
        return self._is_connected

    def _receive(self, request: _Request) -> tuple[bytes, dict] | None:
        """(status, body) of one answer; None when it answers another request."""
        frames = self._socket.recv_multipart()
        if len(frames) != 4 or frames[0] != VERSION:
            raise CorralError(f"{request.operation}: the answer is none of C1's", "version")
        if frames[1] != request.id:
            return None
        try:
            body = msgpack.unpackb(frames[3])
        except ValueError as error:
            raise CorralError(f"{request.operation}: the answer is no msgpack", "peer") from error
        return frames[2], body

    def _late(self, request: _Request, timeout: float) -> CorralError:
        if request.is_sent:
            return TimeoutException(
                f"{request.operation}: no answer within {timeout:g} s; corral logs has what "
                f"became of request {request.id.hex()}",
                "lost",
                request.id.hex(),
            )
        why = "Is Corral running? corral up starts it"
        if self._is_strange:
            why = "something answers there, but the handshake fails: is the file of this Corral?"
        return UnavailableException(
            f"{request.operation}: no connection to the manager at {self.connection.requests} "
            f"within {self._patience(request, timeout):g} s, nothing was done. {why}",
            "unavailable",
        )
