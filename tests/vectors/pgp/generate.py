"""`python -m tests.vectors.pgp.generate`: write the corpus anew; keys stay."""

import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.vectors.pgp import parties

parties.take_the_place_of_the_others()

# From here on the builders build with the fixed keys.
from tests.crypto.parties import SECRET  # noqa: E402
from tests.vectors.pgp import changes, messages, recipes, senders  # noqa: E402

BY_SENDER = {
    "expired": "signer-expired",
    "revoked": "signer-revoked",
    "revoked-as-compromised": "signer-revoked",
    "revoked-later": "signer-revoked",
    "revoked-and-expired": "signer-revoked",
    "authenticates-only": "bad-signature",
    "certifies-only": "bad-signature",
    "encrypts-only": "bad-signature",
    "bound-with-sha1": "bad-signature",
}
BY_SUBKEY = {
    "good": "unknown-signer",
    "expired-with-live-subkey": "signer-expired",
    "revoked-with-live-subkey": "signer-revoked",
    "with-expired-subkey": "signer-expired",
    "with-revoked-subkey": "signer-revoked",
    "with-subkey-that-did-not-consent": "unknown-signer",
    "with-subkey-that-encrypts": "bad-signature",
}
BY_FOREIGN = {
    "with-unbound-subkey": "unknown-signer",
    "with-subkey-bound-by-a-stranger": "unknown-signer",
    "with-adopted-subkey": "unknown-signer",
}


def main() -> None:
    """Write senders, messages and cases."""
    made = {name: make() for name, make in messages.ACCEPTED.items()}
    made |= {name: make() for name, make in messages.BY_TEXT.items()}
    made |= {name: make() for name, (make, _) in messages.REFUSED.items()}
    made |= {name: make() for name, make in messages.BY_SUBKEY.items()}
    _write("messages", made)
    _write("senders", senders.all_senders())
    _write("inside", messages.inside())
    lines = [{"now": parties.NOW.isoformat()}, *_cases(made)]
    assert len({line.get("name") for line in lines}) == len(lines)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (parties.FOLDER / "cases.jsonl").write_text(text)


def _cases(made: dict[str, bytes]) -> Iterator[dict[str, Any]]:
    for name in messages.ACCEPTED:
        yield _accepted(name, _plaintext(name))
    yield _accepted("text", messages.GIVEN_TEXT)
    yield _accepted("by-the-subkey", SECRET, sender="with-signing-subkey")
    for name, (_, code) in messages.REFUSED.items():
        yield _refused(name, name, [code])
    for message, outcomes in (
        ("good", BY_SENDER),
        ("by-the-subkey", BY_SUBKEY),
        ("by-the-foreign-subkey", BY_FOREIGN),
    ):
        for sender, code in outcomes.items():
            yield _refused(f"{message}, sender {sender}", message, [code], sender=sender)
    for name, (_, code) in recipes.RECIPES.items():
        yield _refused(name, f"recipe:{name}", [code])
    for change, codes in (*changes.cuts(made["good"]), *changes.flips(made["good"])):
        yield _refused(f"good, {json.dumps(change)}", "good", codes, change=change)
    more = {"append": b"\n".hex()}
    yield _refused("good, and a line end", "good", ["trailing-data"], change=more)


def _plaintext(name: str) -> bytes:
    return {"empty-plaintext": b"", "literal-in-parts": SECRET * 20}.get(name, SECRET)


def _accepted(message: str, plaintext: bytes, *, sender: str = "good") -> dict[str, Any]:
    outcome = {"accepted": sha256(plaintext).hexdigest()}
    return {"name": message, "message": message, "sender": sender, "outcome": outcome}


def _refused(
    name: str,
    message: str,
    codes: list[str],
    *,
    sender: str = "good",
    change: dict[str, object] | None = None,
) -> dict[str, Any]:
    case: dict[str, Any] = {"name": name, "message": message, "sender": sender}
    if change is not None:
        case["change"] = change
    return case | {"outcome": {"refused": codes}}


def _write(folder: str, files: dict[str, bytes]) -> None:
    path: Path = parties.FOLDER / folder
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    for name, data in files.items():
        (path / f"{name}.pgp").write_bytes(data)


if __name__ == "__main__":
    main()
