"""The parties of the tests: keys made on the fly, and the one moment at which tests happen."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO

from crypto import (
    Certificate,
    Keyring,
    Limits,
    Opened,
    generate_key,
    open_message,
    read_certificate,
    sign_and_encrypt,
)

NOW = datetime.now(UTC).replace(microsecond=0)
# Keys are a day older than the tests, so that a signature can be too early by less than its key.
MADE = NOW - timedelta(days=1)
SECRET = b"CHILD-7781 was seen in the house on Mill Lane. " * 20


@dataclass(frozen=True)
class Party:
    """A key pair and its certificate."""

    keyring: Keyring
    certificate: Certificate


def party(name: str, *, valid_for: timedelta | None = None) -> Party:
    """A new party with an Ed25519 key."""
    keyring = Keyring.load([generate_key(name, now=MADE, valid_for=valid_for)])
    return Party(keyring, read_certificate(keyring.certificates[0].data, now=NOW))


GATEWAY = party("Gateway <gateway@example.org>")
AGENCY = party("Agency <agency@example.org>", valid_for=timedelta(days=30))
STRANGER = party("Stranger <stranger@example.org>")


def good_message(plaintext: bytes = SECRET) -> bytes:
    """What the agency sends to the gateway."""
    sink = BytesIO()
    recipients = [GATEWAY.certificate]
    sign_and_encrypt(
        BytesIO(plaintext), sink, signer=AGENCY.keyring, recipients=recipients, now=NOW
    )
    return sink.getvalue()


def opened(message: bytes, *, now: datetime = NOW, limits: Limits | None = None) -> Opened:
    """The message, opened by the gateway as from the agency."""
    return open_message(
        BytesIO(message),
        keyring=GATEWAY.keyring,
        senders=[AGENCY.certificate],
        now=now,
        limits=limits or Limits(),
    )
