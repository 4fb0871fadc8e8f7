"""The hostile corpus of `tests/vectors/pgp`, read from its files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crypto import Certificate, Keyring, load_certificate
from tests.vectors.pgp.recipes import RECIPES

FOLDER = Path(__file__).parents[1] / "vectors" / "pgp"


@dataclass(frozen=True)
class Case:
    """One message, who is expected to have sent it, and what must come of it."""

    name: str
    message: str
    sender: str
    change: Mapping[str, Any]
    outcome: Mapping[str, Any]

    def data(self, gateway: Certificate) -> bytes:
        """The octets of the message."""
        if self.message.startswith("recipe:"):
            make, _ = RECIPES[self.message.removeprefix("recipe:")]
            return make(gateway)
        return _changed((FOLDER / "messages" / f"{self.message}.pgp").read_bytes(), self.change)


def _changed(data: bytes, change: Mapping[str, Any]) -> bytes:
    if "cut" in change:
        return data[: change["cut"]]
    if "flip" in change:
        at, bit = change["flip"]
        return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
    return data + bytes.fromhex(change.get("append", ""))


def read_corpus() -> tuple[datetime, list[Case]]:
    """The moment of judgement, and every case."""
    first, *lines = map(json.loads, (FOLDER / "cases.jsonl").read_text().splitlines())
    cases = [
        Case(
            name=line["name"],
            message=line["message"],
            sender=line["sender"],
            change=line.get("change", {}),
            outcome=line["outcome"],
        )
        for line in lines
    ]
    return datetime.fromisoformat(first["now"]), cases


def key(name: str) -> Keyring:
    """A party's secret key."""
    return Keyring.load([(FOLDER / "keys" / f"{name}.asc").read_bytes()])


def sender(name: str) -> Certificate:
    """A certificate of the agency in one of its states."""
    return load_certificate((FOLDER / "senders" / f"{name}.pgp").read_bytes())
