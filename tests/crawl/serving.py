"""A server on 127.0.0.1 that answers with the very bytes a test gives it, as slowly as it says."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Script = Callable[[bytes], Iterable[bytes]]  # request head -> pieces to send, one after the other


@dataclass
class Served:
    """A running scripted server."""

    port: int
    requests: list[bytes] = field(default_factory=list)  # heads, in the order they came

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def answer(body: bytes = b"", *headers: str, status: str = "200 OK", length: bool = True) -> bytes:
    """The bytes of an ordinary HTTP answer."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if not any(header.lower().startswith("content-type") for header in headers):
        lines.append("Content-Type: text/html; charset=utf-8")
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def slowly(data: bytes, seconds: float) -> Iterator[bytes]:
    """One byte after the other, with a pause between them."""
    for number in range(len(data)):
        yield data[number : number + 1]
        time.sleep(seconds)


@contextmanager
def serving(script: Script, certificate: str | None = None) -> Iterator[Served]:
    """Serve until the block ends. With `certificate` (a PEM file with key) over TLS."""
    listener = socket.create_server(("127.0.0.1", 0))
    served = Served(listener.getsockname()[1])
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    thread = threading.Thread(target=_accept, args=(listener, script, served, context), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        # Closing alone does not wake a thread that waits in accept().
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _accept(listener: socket.socket, script: Script, served: Served, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_talk, args=(connection, script, served, context), daemon=True).start()


def _talk(connection: socket.socket, script: Script, served: Served, context: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        stack.enter_context(connection)
        if context is not None:
            connection = stack.enter_context(context.wrap_socket(connection, server_side=True))
        head = b""
        while b"\r\n\r\n" not in head and (more := connection.recv(4096)):
            head += more
        served.requests.append(head)
        for piece in script(head):
            connection.sendall(piece)
