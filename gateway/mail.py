"""Hands mail to one mail server, by SMTP (RFC 5321), and tells what became of it.

Encrypted and to a server whose certificate holds, unless the settings say that it is on this
machine: where STARTTLS was asked for (RFC 3207) and is not offered, nothing is said, no password
either. A server that answers slowly, or one octet at a time, is left when its time is over.

What a server says goes no further than its number: its words may repeat the address.
"""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from threading import Timer

from gateway.addresses import Encryption, MailServer
from gateway.errors import MailRefused, ServiceFailed

ANSWER_SECONDS = 20.0
"""How long one answer may take, and one attempt to connect."""

WHOLE_SECONDS = 60.0
"""How long a mail may take in all; below the time that systemd gives a worker to stop."""

_PERMANENT = 500


class PostOffice:
    """One mail server; a connection for each mail."""

    def __init__(
        self,
        server: MailServer,
        *,
        sender: str,
        calls_itself: str,
        context: ssl.SSLContext,
        answer_seconds: float = ANSWER_SECONDS,
        whole_seconds: float = WHOLE_SECONDS,
    ) -> None:
        self._server = server
        self._calls_itself = calls_itself
        self._context = context
        self._answer_seconds = answer_seconds
        self._whole_seconds = whole_seconds
        self.sender = sender

    def send(self, mail: EmailMessage, *, to: str) -> None:
        """Return when the server has taken it.

        Raises MailRefused where it says that it never will, and ServiceFailed `mail-waits` where it
        is away, is not the one that it should be, or refuses us.
        """
        try:
            self._hand_over(mail, to)
        except smtplib.SMTPRecipientsRefused as refused:
            raise _verdict(refused, *(code for code, _ in refused.recipients.values())) from None
        except smtplib.SMTPDataError as refused:
            raise _verdict(refused, refused.smtp_code) from None
        except smtplib.SMTPResponseException as answered:
            raise _waits(f"{type(answered).__name__} {answered.smtp_code}") from None
        except OSError as away:
            raise _waits(type(away).__name__) from None

    def _hand_over(self, mail: EmailMessage, to: str) -> None:
        line = socket.create_connection(
            (self._server.host, self._server.port), timeout=self._answer_seconds
        )
        with line, _ended_after(line, self._whole_seconds):
            client = _Client(line, self._server, self._calls_itself, self._context)
            try:
                client.present_itself()
                client.send_message(mail, from_addr=self.sender, to_addrs=[to])
                # It is the server's from here on: whatever comes now, it is not sent again.
                with suppress(OSError):
                    client.quit()
            finally:
                client.close()


class _Client(smtplib.SMTP):
    """Speaks on a line that is there already."""

    def __init__(
        self, line: socket.socket, server: MailServer, calls_itself: str, context: ssl.SSLContext
    ) -> None:
        self._line = line
        self._server = server
        self._context = context
        super().__init__(server.host, server.port, local_hostname=calls_itself)

    def _get_socket(self, host: str, *_: object) -> socket.socket:
        if self._server.encryption is Encryption.TLS:
            return self._context.wrap_socket(self._line, server_hostname=host)
        return self._line

    def present_itself(self) -> None:
        if self._server.encryption is Encryption.STARTTLS:
            self.starttls(context=self._context)
        if self._server.user is not None:
            self.login(self._server.user, self._server.password or "")


@contextmanager
def _ended_after(line: socket.socket, seconds: float) -> Iterator[None]:
    """Shut a connection when its time is over, whoever waits on it.

    A time-out of a socket counts for one reading alone: an octet every few seconds outlasts it.
    """
    # Another handle of the connection: TLS takes the first one away from its object.
    with line.dup() as handle:
        timer = Timer(seconds, _shut, [handle])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _shut(handle: socket.socket) -> None:
    with suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


def _verdict(fault: Exception, *codes: int) -> MailRefused | ServiceFailed:
    """Of a mail, 5xx is for good (RFC 5321 section 4.2.1) and all else may pass."""
    code = max(codes, default=0)
    detail = f"{type(fault).__name__} {code}"
    return MailRefused(detail=detail) if code >= _PERMANENT else _waits(detail)


def _waits(detail: str) -> ServiceFailed:
    return ServiceFailed(
        "mail-waits",
        "The mail server did not take a mail.",
        "Nothing needs to be done at once: it is tried again for a day.",
        detail=detail,
    )
