"""What a sender writes, wherever it writes it, is kept in encrypted objects and nowhere else.

Canaries go into every place that a sender fills: cells, column names, manifest, attachment names,
the OpenPGP file name, headers, queries, paths, tokens. Afterwards they must be in no table, no leaf
of the log, no answer or mail but the sender's own encrypted report, and no output of a process.
"""

from collections.abc import Callable, Iterator
from dataclasses import astuple
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from zipfile import ZipFile

import pytest
import requests

from audit.entry import Entry
from crypto import sign_and_encrypt, unseal
from gateway.records import State
from gateway.store.log import PostgresLog
from tests.gateway.mailserver import Keeping, Taken, mail_server, read
from tests.gateway.processes import Processes, free_port
from tests.gateway.stand import ADMINISTRATOR, POLICE, Sender, Stand, fresh
from tests.gateway.test_invariants import everything_kept
from tests.validators import samples
from tests.validators.zips import zipped

NAME, POSTCODE, NHS, BORN = "Zebediah-Quillfeather", "QX7-9ZZ", "9434765919", "2011-02-29"
MAILBOX, PHONE = "zebediah@quillfeather.example", "07700900123"
CANARIES = (NAME, POSTCODE, NHS, BORN, MAILBOX, PHONE)
MAILED_TO = "returns@agency.test"
MAIL_PORT = free_port()


@pytest.fixture(scope="module")
def environ(environ: dict[str, str]) -> dict[str, str]:
    """The settings of a gateway that mails."""
    mail = {"SMTP_URL": f"smtp://127.0.0.1:{MAIL_PORT}", "MAIL_FROM": "gateway@gateway.test"}
    return {**environ, **mail}


@pytest.fixture
def mailed() -> Iterator[Taken]:
    """What the gateway mailed."""
    taken = Taken()
    with mail_server(Keeping(taken), port=MAIL_PORT):
        yield taken


@pytest.fixture
def web(stand: Stand, tmp_path: Path) -> Iterator[Processes]:
    """The real processes, whose output is looked through."""
    with Processes(stand.environ, tmp_path) as running:
        yield running


def told(sender: Sender) -> list[bytes]:
    """Packages that hold the canaries in every place."""
    cells = samples.children(7, seed=fresh())
    for row, canary in zip(cells["CASE"], (*CANARIES, NAME), strict=True):
        row["sex"] = row["identification_route"] = canary
        row["person_ref"] = canary
    cells["EXPL"][0]["start_date"] = BORN
    good = sender.package(samples.children(1, seed=fresh())).data
    with ZipFile(BytesIO(good)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    column = files | {"CASE.csv": files["CASE.csv"].replace(b"record_id", NAME.encode(), 1)}
    attached = files | {f"attachments/{NAME}.txt": NHS.encode()}
    badly_named = files | {f"attachments/{NAME} {BORN}.txt": b"x"}
    contact = {"role": NAME, "team": POSTCODE, "mailbox": MAILBOX}
    return [
        sender.package(cells).data,
        sender.package(samples.children(1, seed=fresh()), contact=contact, **{NAME: PHONE}).data,
        zipped(column),
        zipped(attached),
        zipped(badly_named),
        zipped({"manifest.json": f'{{"{NAME}": "{NHS}"}}'.encode()}),
        f"{NAME}, born {BORN}".encode(),
    ]


def encrypted(sender: Sender, package: bytes) -> bytes:
    """A message whose OpenPGP file name is a canary, too."""
    sink = BytesIO()
    sign_and_encrypt(
        BytesIO(package),
        sink,
        signer=sender.keyring,
        recipients=[sender.gateway],
        now=datetime.now(UTC),
        filename=f"{NAME}.zip",
    )
    return sink.getvalue()


def test_no_canary_is_found_outside_encrypted_objects(
    stand: Stand, web: Processes, mailed: Taken
) -> None:
    sender = stand.sender(POLICE)
    stand.admin.mailboxes.set(POLICE, MAILED_TO, by=ADMINISTRATOR)
    answers, submissions = [], []
    for number, package in enumerate(told(sender)):
        answer = requests.post(
            f"{web.url}/v1/submissions",
            params={"child": NAME, "born": BORN},
            data=encrypted(sender, package),
            headers={
                **sender.headers,
                "Content-Type": "application/pgp-encrypted",
                "Idempotency-Key": f"{NAME}-{number}",
                "User-Agent": NAME,
                "Referer": f"https://cases.example/{NAME}?nhs={NHS}",
                "X-Request-Id": PHONE,
                "X-Forwarded-For": MAILBOX,
            },
            timeout=30,
        )
        assert answer.status_code == 201
        answers.append(answer.text)
        submissions.append(answer.json()["id"])
    for path in (NAME, f"v1/submissions/{NHS}", f"v1/standards/{POSTCODE}", f"v1/log/tile/{BORN}"):
        answers.append(requests.get(f"{web.url}/{path}", headers=sender.headers, timeout=30).text)
    bad_token = requests.get(
        f"{web.url}/v1/submissions", headers={"Authorization": f"Bearer {NAME}"}, timeout=30
    )
    answers.append(bad_token.text)
    stand.settle()
    for submission in submissions:
        assert stand.state(submission) in (State.STORED, State.REJECTED)
        for form in ("application/json", "text/plain", "text/html", "text/csv"):
            report = stand.client.get(
                f"/v1/submissions/{submission}/report", headers={**sender.headers, "Accept": form}
            )
            assert report.status_code == 200
            answers.append(report.get_data(as_text=True))

    kept = [("answer", text.encode()) for text in answers]
    kept += [("log of a process", web.log(name).encode()) for name in web.names]
    _await(lambda: len(mailed.mails) >= len(submissions))
    kept += [("mail", part) for mail in mailed.mails for part in (mail, *plain_parts(mail))]
    kept += everything_kept(stand)
    found = {
        (where, canary)
        for where, content in kept
        for canary in CANARIES
        if canary.encode() in content
    }
    assert found == set()
    assert {where for where, content in kept if MAILED_TO.encode() in content} == {
        "mail",
        "agency_mailbox",
    }


def plain_parts(mail: bytes) -> list[bytes]:
    """The parts of a mail as they are read, and their headers."""
    parts = list(read(mail).walk())
    decoded = [part.get_payload(decode=True) for part in parts]
    heads = [str(part.items()).encode() for part in parts]
    return heads + [part for part in decoded if isinstance(part, bytes)]


def _await(condition: Callable[[], bool], *, seconds: float = 40) -> None:
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(0.1)


def test_every_leaf_of_the_log_is_looked_through(stand: Stand) -> None:
    """The search above saw the entries themselves, each of them."""
    leaves = PostgresLog(stand.database).entries(0, 1 << 40)
    assert len(leaves) > 20
    assert {data for where, data in everything_kept(stand) if where == "log_leaf"} >= set(leaves)
    for index, data in enumerate(leaves):
        fields = Entry.from_bytes(data)
        assert not [word for word in CANARIES if word.encode() in data], f"entry {index}"
        assert not [word for word in CANARIES if word in " ".join(map(str, astuple(fields)))]


def test_the_agency_reads_in_its_own_report_what_it_wrote(stand: Stand) -> None:
    sender = stand.sender(POLICE)
    records = samples.children(1, seed=fresh())
    records["CASE"][0]["sex"] = NAME
    submission = stand.send(sender, sender.encrypt(sender.package(records).data))
    stand.settle()
    sealed = stand.get(f"/v1/submissions/{submission}/report.pgp", sender).get_data()
    assert NAME.encode() not in sealed
    plain = BytesIO()
    name = f"report-{submission}.json"
    unseal(BytesIO(sealed), plain, keyring=sender.keyring, context=name)
    assert NAME.encode() in plain.getvalue()
