"""One message opened, judged and sealed in a process of its own, which tells how much it took.

`python -m tests.gateway.judging FOLDER`: FOLDER holds message.pgp, gateway.asc, agency.asc.
"""

import json
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from crypto import Keyring, Scratch, load_certificate, open_message, seal
from gateway.flow.keeping import Keeping
from gateway.flow.pepper import Pepper
from gateway.flow.sealed import write_sealed_archive
from tests.validators import samples
from validators.run import NoHistory, validate
from validators.standard import load_standard, load_standards


def main(folder: Path) -> None:
    """Judge, and print the verdict, the sealed size and the peak of memory in MiB."""
    keyring = Keyring.load([(folder / "gateway.asc").read_bytes()])
    agency = load_certificate((folder / "agency.asc").read_bytes())
    named = {"id": uuid4(), "agency_id": "", "received_at": datetime.now(UTC), "sha256": ""}
    submission: Any = SimpleNamespace(**named)
    before = _peak()
    with (folder / "message.pgp").open("rb") as message:
        opened = open_message(message, keyring=keyring, senders=[agency], now=datetime.now(UTC))
    with opened.plaintext, Scratch() as archive, Scratch() as sealed:
        outcome = validate(
            opened.plaintext,
            standards=load_standards(),
            received_on=samples.RECEIVED_ON,
            history=NoHistory(),
            make_spool=Scratch,
        )
        case = load_standard().records["CASE"]
        keeping = Keeping(submission, pepper=Pepper(bytes(32), random_bytes=token_bytes), case=case)
        write_sealed_archive(submission, outcome, archive, lines=keeping.lines)
        recipients = keyring.certificates
        facts = seal(
            archive.reader(), sealed, recipients=recipients, context="c", now=datetime.now(UTC)
        )
    verdict = outcome.report.verdict
    print(json.dumps({"verdict": verdict, "sealed": facts.size, "took": _peak() - before}))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
