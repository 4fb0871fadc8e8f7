"""What the engine accepts, gpg or Sequoia accepts too, and reads the same in it.

A message that only we take would be a mistake in reading or in policy. The engine may refuse more
than they do; that is what the corpus is about.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from crypto import CryptoError, open_message
from tests.crypto.corpus import FOLDER, key, read_corpus, sender
from tests.crypto.gnupg import Gnupg, require_gpg
from tests.crypto.mutants import inner_mutants, mutants
from tests.crypto.peers.programs import require
from tests.vectors.pgp.recipes import enclosed

NOW, CASES = read_corpus()
GATEWAY, AGENCY = key("gateway"), sender("good")
BASES = ("good", "zip", "literal-in-parts", "signed-twice", "hidden-recipient")
MUTANTS = 120


@dataclass(frozen=True)
class Judges:
    """The real gpg and sq, with the gateway's secret key and the agency's certificate."""

    gpg: Gnupg
    sq: str

    def gnupg(self, message: bytes) -> bytes | None:
        """The plaintext, where gpg decrypts it and finds a good signature and nothing wrong."""
        command = ("--batch", "--no-tty", "--trust-model", "always", "--status-fd", "2")
        done = subprocess.run(
            [self.gpg.program, *command, "--output", "-", "--decrypt"],
            input=message,
            capture_output=True,
            check=False,
            env={"GNUPGHOME": str(self.gpg.home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
        said = done.stderr
        good = all(word in said for word in (b"DECRYPTION_OKAY", b"GOODMDC", b"VALIDSIG"))
        return done.stdout if done.returncode == 0 and good else None

    def sequoia(self, message: bytes) -> bytes | None:
        """The plaintext, where sq decrypts it and one signature of the agency is good."""
        own = ("--recipient-key", FOLDER / "keys" / "gateway.asc")
        trusted = ("--signer-cert", FOLDER / "senders" / "good.pgp")
        done = subprocess.run(
            [self.sq, "decrypt", *map(str, own), "-n", "1", *map(str, trusted)],
            input=message,
            capture_output=True,
            check=False,
        )
        return done.stdout if done.returncode == 0 else None


@pytest.fixture(scope="module")
def judges() -> Iterator[Judges]:
    """Both, knowing the fixed keys and no others."""
    program, sq = require_gpg(), require("sq", "sq")
    with TemporaryDirectory(prefix="g", dir="/tmp", ignore_cleanup_errors=True) as home:
        gpg = Gnupg(program, Path(home))
        gpg("--import", given=(FOLDER / "keys" / "gateway.asc").read_bytes())
        gpg("--import", given=(FOLDER / "senders" / "good.pgp").read_bytes())
        yield Judges(gpg, sq)
        gpg.stop()


def accepted(message: bytes) -> bytes | None:
    """The plaintext, where we accept the message as the agency's."""
    try:
        opened = open_message(BytesIO(message), keyring=GATEWAY, senders=[AGENCY], now=NOW)
    except CryptoError:
        return None
    with opened.plaintext as plaintext:
        return plaintext.read()


def disagreement(judges: Judges, message: bytes, ours: bytes) -> str:
    """What is wrong with having accepted the message, or nothing."""
    theirs = {"gpg": judges.gnupg(message), "sq": judges.sequoia(message)}
    found = {name: text for name, text in theirs.items() if text is not None}
    if not found:
        return "refused by both"
    # gpg hands out text with the line ends of its own system.
    read = {name for name, text in found.items() if _lines(text) != _lines(ours)}
    return f"read differently by {read}" if read else ""


def _lines(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n")


def test_every_accepted_case_of_the_corpus(judges: Judges) -> None:
    found = {}
    for case in CASES:
        if "accepted" in case.outcome and case.sender == "good":
            message = case.data(GATEWAY.certificates[0])
            ours = accepted(message)
            assert ours is not None
            found[case.name] = disagreement(judges, message, ours)
    assert len(found) > 25
    assert {name: fault for name, fault in found.items() if fault} == {}


def outer(base: str) -> Iterator[bytes]:
    """Mutants of a message, around what is encrypted."""
    message = (FOLDER / "messages" / f"{base}.pgp").read_bytes()
    return islice(mutants(message, Random(base)), MUTANTS)


def inner(base: str) -> Iterator[bytes]:
    """Mutants of what is encrypted, encrypted anew."""
    inside = (FOLDER / "inside" / f"{base}.pgp").read_bytes()
    to = GATEWAY.certificates[0]
    return (enclosed(one, to) for one in islice(inner_mutants(inside, Random(base)), MUTANTS))


@pytest.mark.parametrize("make", [outer, inner])
@pytest.mark.parametrize("base", BASES)
def test_nothing_that_we_alone_accept(judges: Judges, base: str, make) -> None:
    good, faults = 0, []
    for message in make(base):
        ours = accepted(message)
        if ours is None:
            continue
        good += 1
        if fault := disagreement(judges, message, ours):
            faults.append((fault, message.hex()))
    assert good >= MUTANTS // 10, "too few mutants are good for the comparison to mean something"
    assert faults == []
