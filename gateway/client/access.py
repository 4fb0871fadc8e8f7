"""How the gateway is reached over SFTP: its address, the key to come with, the host key to expect.

A host key is pinned by its fingerprint, or stands in a file as OpenSSH keeps it. There is no third
way: an unknown host key is never accepted, not even the first time.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from gateway.client.answers import ClientError

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_USER = "ctds"


@dataclass(frozen=True, slots=True)
class Address:
    """A host, a port, and a name that the gateway does not look at."""

    host: str
    port: int
    user: str

    @classmethod
    def of(cls, text: str) -> "Address":
        """Read sftp://HOST or sftp://HOST:PORT; raises ClientError."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise _malformed() from None
        surplus = parts.password or parts.path.strip("/") or parts.query or parts.fragment
        if parts.scheme != "sftp" or not parts.hostname or surplus:
            raise _malformed()
        return cls(parts.hostname, port or 22, parts.username or _USER)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"sftp://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Access:
    """What a session begins with; without fingerprints, `known_hosts` is what counts."""

    address: Address
    key: str = field(repr=False)
    passphrase: str | None = field(repr=False)
    fingerprints: tuple[str, ...]
    known_hosts: Path

    def __post_init__(self) -> None:
        for each in self.fingerprints:
            if not _FINGERPRINT.fullmatch(each):
                raise ClientError(
                    "host-key-malformed",
                    f"{each} is not the fingerprint of a host key.",
                    "It is SHA256: and 43 characters, as `ssh-keygen -l` prints it; it stands in "
                    "your letter.",
                )


def _malformed() -> ClientError:
    # The text may hold a password, so it is not repeated.
    return ClientError(
        "sftp-address-malformed",
        "The address for SFTP is not of the form sftp://HOST:PORT.",
        "Copy it from your letter, such as sftp://gateway.example.org:2222.",
    )
