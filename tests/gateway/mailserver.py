"""A mail server on loopback that is not ours, and a certificate that nobody else trusts."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from threading import Thread

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.gateway.processes import free_port
from tests.selfsigned import self_signed

USER, PASSWORD = "gateway", "pass:w@rd"


@dataclass
class Taken:
    """What a server took: each mail as octets, and from whom to whom its envelope was."""

    mails: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    def read(self, number: int = -1) -> EmailMessage:
        """One of the mails as a mail program reads it."""
        return read(self.mails[number])


def read(mail: bytes) -> EmailMessage:
    """A mail as a mail program reads it."""
    found = message_from_bytes(mail, policy=default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


@dataclass
class Keeping:
    """Takes mail, or answers what the test says."""

    taken: Taken
    to_recipient: str | None = None
    to_data: Callable[[], str] = lambda: "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        """Answer RCPT."""
        if self.to_recipient is not None:
            return self.to_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keep the mail, and answer."""
        assert isinstance(envelope.original_content, bytes)
        assert envelope.mail_from is not None
        self.taken.mails.append(envelope.original_content)
        self.taken.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return self.to_data()

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: object
    ) -> AuthResult:
        """Let one user in."""
        assert isinstance(given, LoginPassword)
        self.taken.logins.append((given.login, given.password))
        good = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False)


@dataclass(frozen=True)
class Certificate:
    """A server's certificate and key in one file, which signs itself."""

    file: Path

    def context(self) -> ssl.SSLContext:
        """What a server speaks TLS with."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.file)
        return context

    def trusted(self) -> ssl.SSLContext:
        """What a client trusts this certificate with, and no other."""
        return ssl.create_default_context(cafile=str(self.file))


def make_certificate(file: Path, *, names: tuple[str, ...] = ("localhost", "127.0.0.1")) -> Path:
    """Make a certificate for these names, with its key in the same file."""
    file.write_bytes(b"".join(self_signed(names)))
    file.chmod(0o600)
    return file


@contextmanager
def mail_server(
    handler: Keeping,
    *,
    port: int | None = None,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    users: bool = False,
) -> Iterator[int]:
    """Run a server; answer its port."""
    port = port or free_port()
    running = Controller(
        handler,
        hostname="127.0.0.1",
        port=port,
        ssl_context=tls,
        tls_context=starttls,
        require_starttls=starttls is not None,
        authenticator=handler.authenticate if users else None,
        auth_required=users,
        # aiosmtpd counts TLS that began with STARTTLS only.
        auth_require_tls=tls is None,
    )
    running.start()
    try:
        yield port
    finally:
        running.stop()


@contextmanager
def speaking(speak: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does to each connection what the test says, and then ends it."""
    listener = socket.create_server(("127.0.0.1", 0))
    lines: list[socket.socket] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                lines.append(line)
                with line, suppress(OSError):
                    speak(line)

    thread = Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        for end in (listener, *lines):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=10)
