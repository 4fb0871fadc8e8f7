"""The line to the mail server: a real server, and servers that are not what they should be."""

import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from gateway.addresses import Encryption, MailServer
from gateway.errors import MailRefused, ServiceFailed
from gateway.mail import PostOffice
from tests.gateway.mailserver import (
    PASSWORD,
    USER,
    Certificate,
    Keeping,
    Taken,
    mail_server,
    make_certificate,
    speaking,
)
from tests.gateway.processes import free_port

SENDER, MAILBOX = "gateway@gateway.test", "returns@agency.test"
NO_TLS = ssl.create_default_context()


@pytest.fixture
def taken() -> Taken:
    """What arrived."""
    return Taken()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """The mail server's."""
    return Certificate(make_certificate(tmp_path_factory.mktemp("tls") / "mail.pem"))


def office(
    port: int,
    encryption: Encryption = Encryption.NONE,
    *,
    context: ssl.SSLContext = NO_TLS,
    host: str = "127.0.0.1",
    seconds: float = 5,
    whole: float = 10,
) -> PostOffice:
    """A post office at a port of loopback."""
    return PostOffice(
        MailServer(host, port, encryption),
        sender=SENDER,
        calls_itself="gateway.test",
        context=context,
        answer_seconds=seconds,
        whole_seconds=whole,
    )


def with_user(port: int, context: ssl.SSLContext, password: str = PASSWORD) -> PostOffice:
    made = office(port, Encryption.STARTTLS, context=context)
    made._server = replace(made._server, user=USER, password=password)
    return made


def a_mail() -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = SENDER, MAILBOX, "accepted"
    mail.set_content("Hello.\n.\n..dots\n")
    return mail


def waits(at: PostOffice) -> str:
    """Send, which must not succeed for now; tell the reason."""
    with pytest.raises(ServiceFailed) as waiting:
        at.send(a_mail(), to=MAILBOX)
    assert waiting.value.code == "mail-waits"
    assert MAILBOX not in f"{waiting.value} {waiting.value.detail}"
    return waiting.value.detail


def test_a_mail_arrives_as_it_was(taken: Taken) -> None:
    with mail_server(Keeping(taken)) as port:
        office(port).send(a_mail(), to=MAILBOX)
    assert taken.envelopes == [(SENDER, [MAILBOX])]
    assert taken.mails == [a_mail().as_bytes()]


def test_over_tls_from_the_beginning(taken: Taken, certificate: Certificate) -> None:
    with mail_server(Keeping(taken), tls=certificate.context()) as port:
        office(port, Encryption.TLS, context=certificate.trusted()).send(a_mail(), to=MAILBOX)
    assert len(taken.mails) == 1


def test_over_tls_from_starttls_on_with_a_password(taken: Taken, certificate: Certificate) -> None:
    with mail_server(Keeping(taken), starttls=certificate.context(), users=True) as port:
        with_user(port, certificate.trusted()).send(a_mail(), to=MAILBOX)
        assert waits(with_user(port, certificate.trusted(), "wrong")).startswith(
            "SMTPAuthenticationError 535"
        )
    assert len(taken.mails) == 1
    assert taken.logins[0] == (USER.encode(), PASSWORD.encode())


def test_a_server_without_starttls_hears_neither_mail_nor_password(taken: Taken) -> None:
    with mail_server(Keeping(taken)) as port:
        assert waits(with_user(port, NO_TLS)) == "SMTPNotSupportedError"
    assert (taken.mails, taken.logins) == ([], [])


def test_a_server_that_takes_starttls_back_hears_nothing() -> None:
    heard = bytearray()

    def stripped(line: socket.socket) -> None:
        line.sendall(b"220 mail.test\r\n")
        heard.extend(line.recv(1000))
        line.sendall(b"250-mail.test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n")
        heard.extend(line.recv(1000))
        line.sendall(b"454 not now\r\n")
        while more := line.recv(1000):
            heard.extend(more)

    with speaking(stripped) as port:
        assert waits(with_user(port, NO_TLS)).endswith("454")
    assert b"AUTH" not in heard
    assert b"MAIL" not in heard


def test_what_was_said_before_tls_counts_for_nothing(certificate: Certificate) -> None:
    """A man in the middle answers in advance; what he says must not be read as the server's."""

    def injecting(line: socket.socket) -> None:
        line.sendall(b"220 mail.test\r\n")
        line.recv(1000)
        line.sendall(b"250-mail.test\r\n250 STARTTLS\r\n")
        line.recv(1000)
        line.sendall(b"220 go\r\n250 OK\r\n250 OK\r\n250 OK\r\n354 go\r\n250 OK\r\n")
        with suppress(OSError), certificate.context().wrap_socket(line, server_side=True) as inner:
            inner.recv(1000)

    with speaking(injecting) as port:
        waits(office(port, Encryption.STARTTLS, context=certificate.trusted()))


@pytest.mark.parametrize("encryption", [Encryption.TLS, Encryption.STARTTLS])
def test_a_certificate_that_nobody_vouches_for(
    taken: Taken, certificate: Certificate, encryption: Encryption
) -> None:
    tls = certificate.context()
    how = {"tls": tls} if encryption is Encryption.TLS else {"starttls": tls}
    with mail_server(Keeping(taken), **how) as port:
        assert waits(office(port, encryption)) == "SSLCertVerificationError"
    assert taken.mails == []


@pytest.mark.parametrize("encryption", [Encryption.TLS, Encryption.STARTTLS])
def test_a_certificate_of_another_server(
    taken: Taken, tmp_path: Path, encryption: Encryption
) -> None:
    other = Certificate(make_certificate(tmp_path / "other.pem", names=("mail.evil.test",)))
    tls = other.context()
    how = {"tls": tls} if encryption is Encryption.TLS else {"starttls": tls}
    with mail_server(Keeping(taken), **how) as port:
        at = office(port, encryption, context=other.trusted(), host="localhost")
        assert waits(at) == "SSLCertVerificationError"
    assert taken.mails == []


def test_plain_speech_where_tls_is_meant(taken: Taken) -> None:
    with mail_server(Keeping(taken)) as port:
        waits(office(port, Encryption.TLS))
    assert taken.mails == []


def test_nobody_is_there() -> None:
    assert waits(office(free_port())) == "ConnectionRefusedError"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [("550 no such mailbox", MailRefused), ("450 try later", ServiceFailed)],
)
def test_what_is_said_of_the_recipient(
    taken: Taken, answer: str, verdict: type[MailRefused | ServiceFailed]
) -> None:
    handler = Keeping(taken, to_recipient=f"{answer} {MAILBOX}")
    with mail_server(handler) as port, pytest.raises(verdict) as refused:
        office(port).send(a_mail(), to=MAILBOX)
    assert refused.value.detail == f"SMTPRecipientsRefused {answer[:3]}"
    assert taken.mails == []


@pytest.mark.parametrize(
    ("answer", "verdict"), [("554 spam", MailRefused), ("452 disk full", ServiceFailed)]
)
def test_what_is_said_of_the_mail(
    taken: Taken, answer: str, verdict: type[MailRefused | ServiceFailed]
) -> None:
    handler = Keeping(taken, to_data=lambda: answer)
    with mail_server(handler) as port, pytest.raises(verdict) as refused:
        office(port).send(a_mail(), to=MAILBOX)
    assert refused.value.detail == f"SMTPDataError {answer[:3]}"


def hangs(line: socket.socket) -> None:
    line.recv(1)


def breaks_off(line: socket.socket) -> None:
    line.sendall(b"220 mail.te")


def drips(line: socket.socket) -> None:
    for _ in range(200):
        line.sendall(b"2")
        time.sleep(0.1)


def talks_for_ever(line: socket.socket) -> None:
    while True:
        line.sendall(b"220-on and on\r\n" * 1000)


def says_nonsense(line: socket.socket) -> None:
    line.sendall(b"\0\xff\r\n\r\n200\r\n" * 10)


def is_busy(line: socket.socket) -> None:
    line.sendall(b"554 go away\r\n")


def breaks_off_in_the_mail(line: socket.socket) -> None:
    line.sendall(b"220 mail.test\r\n")
    for answer in (b"250 mail.test\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go\r\n"):
        line.recv(1000)
        line.sendall(answer)
    line.recv(10)


@pytest.mark.parametrize(
    "speak",
    [
        hangs,
        breaks_off,
        drips,
        talks_for_ever,
        says_nonsense,
        is_busy,
        breaks_off_in_the_mail,
    ],
)
def test_a_server_that_misbehaves_is_left_in_time(speak: Callable[[socket.socket], None]) -> None:
    with speaking(speak) as port:
        began = time.monotonic()
        waits(office(port, seconds=1, whole=2))
        assert time.monotonic() - began < 5


def test_a_handshake_that_drips_is_left_in_time() -> None:
    with speaking(drips) as port:
        began = time.monotonic()
        waits(office(port, Encryption.TLS, seconds=1, whole=2))
        assert time.monotonic() - began < 5


def test_what_was_taken_is_sent_whatever_comes_after() -> None:
    """A server that breaks off once it has the mail must not make us send it again."""

    def ends_early(line: socket.socket) -> None:
        line.sendall(b"220 mail.test\r\n")
        for answer in (b"250 mail.test\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go\r\n"):
            line.recv(1000)
            line.sendall(answer)
        got = b""
        while not got.endswith(b"\r\n.\r\n"):
            got += line.recv(1000)
        line.sendall(b"250 taken\r\n")

    with speaking(ends_early) as port:
        office(port).send(a_mail(), to=MAILBOX)
