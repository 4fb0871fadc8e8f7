"""Addresses of mail, strictly: one mailbox, and the server that takes the mail.

Of what RFC 5321 and 5322 allow in an address only the plain form is taken. Quotes, comments,
routes, groups and anything outside ASCII are how a second recipient or a second header would come
in, and no role mailbox needs them. A refusal never repeats what was given.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from gateway.errors import RequestRefused

LONGEST_ADDRESS = 254
"""Octets: a path of 256 (RFC 5321 section 4.5.3.1.3) without its angle brackets."""

_ATOM = "[A-Za-z0-9_][A-Za-z0-9_+-]*"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_MAILBOX = re.compile(
    rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*\.[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]"
)
_SERVER = re.compile(rf"{_HOST}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+")


def mailbox_of(address: str) -> str:
    """Return the address if it is one mailbox in its plain form; raises RequestRefused."""
    if len(address) > LONGEST_ADDRESS or not _MAILBOX.fullmatch(address):
        raise RequestRefused(
            "mailbox-malformed",
            "This is no address of one mailbox that mail can safely be sent to.",
            "Give one plain address, such as data@agency.example: letters, digits and . _ + - "
            "before the @, the name of a domain after it, no name of a person and no brackets.",
        )
    return address


class Encryption(StrEnum):
    """How the line to a mail server is encrypted; the words are the schemes of SMTP_URL."""

    NONE = "smtp"
    TLS = "smtps"
    STARTTLS = "smtp+starttls"


PORTS = {Encryption.NONE: 25, Encryption.TLS: 465, Encryption.STARTTLS: 587}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and as whom."""

    host: str
    port: int
    encryption: Encryption
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def from_url(cls, url: str) -> "MailServer":
        """Read SMTP_URL; raises ValueError, which does not repeat it, as it may hold a password."""
        try:
            parts = urlsplit(url)
            encryption, port = Encryption(parts.scheme), parts.port
        except ValueError:
            raise ValueError("no address of a mail server") from None
        host = parts.hostname or ""
        if not _SERVER.fullmatch(host) or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("no address of a mail server")
        return cls(
            host=host,
            port=PORTS[encryption] if port is None else port,
            encryption=encryption,
            user=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
        )
