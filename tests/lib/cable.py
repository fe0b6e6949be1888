"""A TCP connection that can be pulled out: what goes through it is passed on until then.

    with Cable(("127.0.0.1", port)) as cable:
        ...                 # clients connect to cable.port
        cable.pull()        # ends every connection, by RST; new ones work
"""
import select
import socket
import struct
import threading

BLOCK_BYTES = 65536
ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: close(2) resets the connection


class Cable:
    """Passes bytes between clients and one server, on a thread of its own."""

    def __init__(self, server):
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.pairs = {}  # socket: its other end
        self.accepted = 0
        self.orders, self.ears = socket.socketpair()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.orders.send(b"c")
        self.thread.join()
        for end in (self.listener, self.orders, self.ears):
            end.close()

    def pull(self):
        """Ends every connection; returns when they have ended."""
        self.orders.send(b"p")
        self.orders.recv(1)

    def _accept(self):
        client = self.listener.accept()[0]
        server = socket.create_connection(self.server)
        self.accepted += 1
        self.pairs |= {client: server, server: client}

    def _cut(self, *ends):
        for end in ends:
            self.pairs.pop(end)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            end.close()

    def _pass_on(self, end):
        other = self.pairs[end]
        try:
            if data := end.recv(BLOCK_BYTES):
                other.sendall(data)
                return
        except OSError:
            pass  # an end that is gone takes the other one along
        self._cut(end, other)

    def _run(self):
        while True:
            ready = select.select([self.ears, self.listener, *self.pairs], [], [])[0]
            if self.ears in ready:
                order = self.ears.recv(1)
                self._cut(*self.pairs)
                if order == b"c":
                    return
                self.ears.send(order)
                continue
            for end in ready:
                if end is self.listener:
                    self._accept()
                elif end in self.pairs:
                    self._pass_on(end)
