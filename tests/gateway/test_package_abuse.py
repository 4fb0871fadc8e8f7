"""Bad packages and messages, sent the whole way by an enrolled agency.

Each case declares the code that it must be rejected with. Whatever arrives: the end is `rejected`,
with one entry in the log, a sentence for the sender, nothing sealed and nothing left to read.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID, uuid4
from zipfile import ZipFile

import pytest

from crypto import seal, sign_detached
from gateway.errors import ServiceFailed
from gateway.records import State
from gateway.store.objects import Bucket, quarantine_key
from gateway.store.submissions import find_submission
from tests.gateway.stand import OTHER_POLICE, POLICE, Sender, Stand, fresh, new_keyring
from tests.validators import books, samples
from tests.validators.test_package import HOSTILE, UNREADABLE
from tests.validators.test_readers import FAULTY_CSV, FAULTY_JSON, HEADER, WIDTH, table
from tests.validators.test_workbooks import HOSTILE as HOSTILE_BOOKS
from tests.validators.test_workbooks import sheets_of
from tests.validators.test_xml import FAULTY as FAULTY_XML
from tests.validators.zips import zipped
from validators.manifest import canonical_manifest

# Those that need limits as small as a test's own are the validators' affair.
SMALL_LIMITS = {"a bomb by ratio", "a large entry", "a manifest of 1 GB", "large in all"}
ARCHIVES = {name: case for name, case in HOSTILE.items() if name not in SMALL_LIMITS}

# Refused before it is read, while it is read, and by the end of its reader.
WORKBOOKS = {
    name: HOSTILE_BOOKS[name]
    for name in (
        "3 GB by its own account",
        "macros",
        "entities",
        "ODS with 100 million repeated cells",
    )
}

# What a file of decisions may hold: its name, its octets, and the rule that tells of it.
FILES: dict[str, tuple[str, bytes, str]] = {
    **{f"CSV: {case}": ("DECN.csv", found[0], "CT-011") for case, found in FAULTY_CSV.items()},
    "CSV: the header twice": ("DECN.csv", table(HEADER), "CT-015"),
    "CSV: formulas": ("DECN.csv", table(",".join(["=cmd|'/c calc'!A1"] * WIDTH)), "CT-020"),
    **{
        f"JSON: {case}": ("DECN.jsonl", f"{{}}\n{line}\n".encode(), rule)
        for case, (line, rule) in FAULTY_JSON.items()
    },
    **{f"XML: {case}": ("DECN.xml", found[0], "CT-011") for case, found in FAULTY_XML.items()},
    # It never gets to the reader: nothing but this deflates so well.
    "XML: a text of 20 MB": ("DECN.xml", FAULTY_XML["a text of 20 MB"][0], "zip-bomb"),
}
SECONDS = 20
"""No file of these may take longer on the slowest machine that runs the tests."""

Change = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Rejected:
    """A submission that came to its end."""

    id: UUID
    code: str
    report: dict[str, Any]


@pytest.fixture(scope="module")
def sender(stand: Stand) -> Sender:
    """An agency in good standing."""
    return stand.sender(POLICE)


def reject(stand: Stand, sender: Sender, message: bytes) -> Rejected:
    """Send it; it must be rejected, cleanly and with words."""
    submission = stand.send(sender, message)
    stand.settle()
    with stand.database.transaction() as session:
        found = find_submission(session, submission)
    assert found is not None
    assert (found.state, found.sealed_key, found.records) == (State.REJECTED, None, None)
    told = [entry for entry in stand.entries() if entry.object_id == str(submission)]
    assert [str(entry.action) for entry in told].count("submission.rejected") == 1
    assert told[-1].outcome == "refused"
    with pytest.raises(ServiceFailed):
        stand.admin.objects.open(Bucket.QUARANTINE, quarantine_key(POLICE, submission))
    report = stand.report(sender, submission)
    assert report["verdict"] == "rejected"
    text = stand.client.get(
        f"/v1/submissions/{submission}/report", headers={**sender.headers, "Accept": "text/plain"}
    )
    assert len(text.get_data(as_text=True).splitlines()) >= 2
    return Rejected(submission, str(found.error_code), report)


def refused(stand: Stand, sender: Sender, message: bytes) -> str:
    """The code of a refusal, which has a message and a way to mend it."""
    rejected = reject(stand, sender, message)
    refusal = rejected.report["refusal"]
    assert refusal["code"] == rejected.code
    assert len(refusal["message"].split()) > 3
    assert len(refusal["mend"].split()) > 3
    return rejected.code


@pytest.mark.parametrize("case", ARCHIVES)
def test_a_hostile_archive_is_rejected(stand: Stand, sender: Sender, case: str) -> None:
    code, build = ARCHIVES[case]
    assert refused(stand, sender, sender.encrypt(build())) == code


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_entry_that_is_not_what_it_says_is_rejected(
    stand: Stand, sender: Sender, case: str
) -> None:
    """The broken entry stands in a package that is otherwise in order."""
    code, archive = UNREADABLE[case]
    message = sender.encrypt(archive)
    rejected = reject(stand, sender, message)
    assert rejected.code in (code, "CT-001"), "no manifest is found before the entry is read"


def changed(sender: Sender, change: Change) -> bytes:
    """A package whose manifest was changed and signed again, so that only the change is wrong."""
    built = sender.package(samples.children(1, seed=fresh()))
    manifest = {name: value for name, value in built.manifest.items() if name != "signature"}
    change(manifest)
    manifest["signature"] = sign_detached(
        canonical_manifest(manifest), signer=sender.keyring, now=datetime.now(UTC)
    )
    with ZipFile(BytesIO(built.data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return zipped({**files, "manifest.json": json.dumps(manifest).encode()})


def set_(**values: object) -> Change:
    """A change that sets keys of the manifest."""
    return lambda manifest: manifest.update(values)


def first_file(**values: object) -> Change:
    """A change that sets keys of the manifest's first file."""
    return lambda manifest: manifest["files"][0].update(values)


MANIFESTS: dict[str, tuple[str, Change]] = {
    "an unknown key": ("CT-001", set_(comment="see attached")),
    "no contact": ("CT-001", lambda manifest: manifest.pop("contact")),
    "an unknown standard": ("CT-002", set_(standard_version="9.9")),
    "another standard": ("CT-002", set_(standard="HTCDS")),
    "another agency": ("CT-003", set_(agency_id="POL-E23000012")),
    "an agency that nobody knows": ("CT-003", set_(agency_id="LA-ALL")),
    "a quarter to come": (
        "CT-005",
        set_(period_start="2099-01-01", period_end="2099-03-31"),
    ),
    "seven weeks": ("CT-004", set_(period_start="2026-01-01", period_end="2026-02-18")),
    "backwards": ("CT-004", set_(period_start="2026-03-31", period_end="2026-01-01")),
    "a wrong hash": ("CT-007", first_file(sha256="0" * 64)),
    "a wrong count": ("CT-006", first_file(rows=99)),
    "replaces nothing": ("CT-009", set_(submission_type="REPLACEMENT", replaces=str(uuid4()))),
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_a_manifest_that_is_wrong_is_rejected(stand: Stand, sender: Sender, case: str) -> None:
    code, change = MANIFESTS[case]
    rejected = reject(stand, sender, sender.encrypt(changed(sender, change)))
    assert code in {finding["rule"] for finding in rejected.report["findings"]}, rejected.report
    assert all(finding["message"] and finding["mend"] for finding in rejected.report["findings"])


def test_a_nil_return_with_rows_is_kept_and_asked_about(stand: Stand, sender: Sender) -> None:
    """The standard makes it a warning (CT-013): rows that came are not thrown away."""
    message = sender.encrypt(changed(sender, set_(nil_return=True)))
    submission = stand.send(sender, message)
    stand.settle()
    assert stand.state(submission) is State.STORED
    found = stand.report(sender, submission)["findings"]
    assert {(finding["rule"], finding["severity"]) for finding in found} == {("CT-013", "warning")}


@pytest.mark.parametrize(
    "files",
    [
        {"CASE.csv": b"record_id\r\n"},
        {"manifest.json": b"\xff\xfe{}", "CASE.csv": b""},
        {"manifest.json": b'{"standard": "CTDS", "standard": "CTDS"}'},
        {"manifest.json": b"[" * 10_000},
        {"manifest.json": b"{}"},
    ],
    ids=["no manifest", "not UTF-8", "a key twice", "10,000 levels", "an empty one"],
)
def test_what_is_no_manifest_is_rejected(
    stand: Stand, sender: Sender, files: dict[str, bytes]
) -> None:
    assert reject(stand, sender, sender.encrypt(zipped(files))).code == "CT-001"


def test_a_manifest_that_somebody_else_signed_is_rejected(stand: Stand, sender: Sender) -> None:
    stranger = new_keyring("stranger")
    forged = Sender(POLICE, stranger, sender.token, sender.gateway, sender.standard)
    package = forged.package(samples.children(1, seed=fresh())).data
    assert reject(stand, sender, sender.encrypt(package)).code == "CT-001"


def test_another_agencys_package_id_is_nobodys_property(stand: Stand, sender: Sender) -> None:
    """An id says nothing beyond its agency: it can neither be taken away nor found out."""
    theirs = stand.sender(OTHER_POLICE)
    first = theirs.package(samples.children(1, seed=fresh()))
    sent = stand.send(theirs, theirs.encrypt(first.data))
    stand.settle()
    same_id = set_(submission_id=first.manifest["submission_id"])
    ours = stand.send(sender, sender.encrypt(changed(sender, same_id)))
    stand.settle()
    assert "CT-008" not in stand.report(sender, ours)["totals"]
    assert stand.state(sent) is State.STORED
    again = stand.send(theirs, theirs.encrypt(first.data))
    stand.settle()
    assert "CT-008" in stand.report(theirs, again)["totals"]


@pytest.mark.parametrize("case", FILES)
def test_a_hostile_file_is_told_of_and_ends_nothing(
    stand: Stand, sender: Sender, case: str, tmp_path: Path
) -> None:
    """Whether the whole goes back or a part is kept: a finding, and never a fault of ours."""
    name, data, rule = FILES[case]
    with ZipFile(BytesIO(sender.package(samples.children(1, seed=fresh())).data)) as archive:
        for other in ("CASE.csv", "EXPL.csv"):
            archive.extract(other, tmp_path)
    (tmp_path / name).write_bytes(data)
    submission = stand.send(sender, sender.encrypt(sender.package(tmp_path).data))
    started = monotonic()
    stand.settle()
    assert monotonic() - started < SECONDS
    assert stand.state(submission) in (State.STORED, State.REJECTED)
    found = stand.report(sender, submission)
    assert rule in {*found.get("totals", ()), found.get("refusal", {}).get("code")}, found
    told = [*found.get("findings", ()), *filter(None, [found.get("refusal")])]
    assert all(each["message"] and each["mend"] for each in told)


@pytest.mark.parametrize("case", WORKBOOKS)
def test_a_hostile_workbook_is_rejected(
    stand: Stand, sender: Sender, case: str, tmp_path: Path
) -> None:
    name = "RETURN.ods" if case.startswith("ODS") else "RETURN.xlsx"
    (tmp_path / name).write_bytes(WORKBOOKS[case][1]())
    assert reject(stand, sender, sender.encrypt(sender.package(tmp_path).data)).code == "CT-011"


def test_a_return_in_a_workbook_is_stored(stand: Stand, sender: Sender, tmp_path: Path) -> None:
    sheets = sheets_of(samples.children(2, seed=fresh()))
    (tmp_path / "quarter 1.xlsx").write_bytes(books.xlsx(sheets))
    submission = stand.send(sender, sender.encrypt(sender.package(tmp_path).data))
    stand.settle()
    assert stand.state(submission) is State.STORED
    files = stand.report(sender, submission)["files"]
    assert {(each["name"], each["accepted"]) for each in files} == {
        (f"RETURN.xlsx#{kind}", 2) for kind in ("CASE", "EXPL", "DECN")
    }


def good(sender: Sender) -> bytes:
    return sender.message(1)


def cut(sender: Sender) -> bytes:
    return good(sender)[:-40]


def flipped(sender: Sender) -> bytes:
    message = bytearray(good(sender))
    message[-60] ^= 1
    return bytes(message)


def unsigned(sender: Sender) -> bytes:
    sink, package = BytesIO(), sender.package(samples.children(1, seed=fresh())).data
    now = datetime.now(UTC)
    seal(BytesIO(package), sink, recipients=[sender.gateway], context="package.zip", now=now)
    return sink.getvalue()


def by_a_stranger(sender: Sender) -> bytes:
    stranger = new_keyring("stranger")
    return Sender(POLICE, stranger, "", sender.gateway, sender.standard).message(1)


def to_another(sender: Sender) -> bytes:
    package = sender.package(samples.children(1, seed=fresh())).data
    return sender.encrypt(package, to=new_keyring("elsewhere").certificates[0])


def in_the_clear(sender: Sender) -> bytes:
    return sender.package(samples.children(1, seed=fresh())).data


MESSAGES: dict[str, tuple[str, Callable[[Sender], bytes]]] = {
    "cut short": ("truncated", cut),
    "one bit turned": ("mdc-failed", flipped),
    "not signed": ("not-signed", unsigned),
    "signed by a stranger": ("unknown-signer", by_a_stranger),
    "to somebody else": ("wrong-recipient", to_another),
    "noise": ("malformed", lambda _: b"\xc1\xe9" + uuid4().bytes * 40),
    "with more behind it": ("trailing-data", lambda sender: good(sender) + good(sender)),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_a_message_that_is_not_right_is_rejected(stand: Stand, sender: Sender, case: str) -> None:
    code, build = MESSAGES[case]
    assert refused(stand, sender, build(sender)) == code


def test_a_message_in_the_clear_is_refused_before_any_of_it_is_kept(
    stand: Stand, sender: Sender
) -> None:
    answer = stand.post(sender, in_the_clear(sender))
    assert (answer.status_code, answer.get_json()["code"]) == (400, "not-openpgp")


def test_the_rest_goes_on(stand: Stand, sender: Sender) -> None:
    """After all of that a good package is stored as on the first day."""
    submission = stand.send(sender, good(sender))
    stand.settle()
    assert stand.state(submission) is State.STORED
