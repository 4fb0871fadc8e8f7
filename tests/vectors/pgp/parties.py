"""The fixed parties of the corpus: keys kept in `keys/`, and one moment for ever."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from crypto import Keyring, generate_key
from tests.crypto import parties

FOLDER = Path(__file__).parent
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
MADE = NOW - timedelta(days=300)
NAMES = ("gateway", "agency", "subkey", "stranger")


def make_missing_keys() -> None:
    """Write the keys that are not there yet."""
    (FOLDER / "keys").mkdir(exist_ok=True)
    for name in NAMES:
        path = FOLDER / "keys" / f"{name}.asc"
        if not path.exists():
            user_id = f"Test key: {name} <{name}@example.org>"
            path.write_bytes(generate_key(user_id, now=MADE, valid_for=None))


def party(name: str) -> parties.Party:
    """One of the fixed parties."""
    secret = (FOLDER / "keys" / f"{name}.asc").read_bytes()
    keyring = Keyring.load([secret])
    return parties.Party(keyring, keyring.certificates[0])


def take_the_place_of_the_others() -> None:
    """Make these the parties of `tests.crypto.handmade`, which must not be imported before."""
    make_missing_keys()
    parties.NOW, parties.MADE = NOW, MADE
    parties.SECRET = b"CHILD-7781 was seen in the house on Mill Lane.\n" * 3
    parties.GATEWAY, parties.AGENCY, parties.STRANGER = map(
        party, ("gateway", "agency", "stranger")
    )
