"""The way of one submission, from an agency's desk to the staff's, at the WSGI interface."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from audit.receipt import verify_receipt
from crypto import Keyring, generate_key, public_part, unseal
from gateway.records import Role, State
from gateway.settings import Process, Settings
from gateway.store.objects import Bucket
from gateway.store.submissions import find_submission
from gateway.wiring.worker import worker_services
from tests.gateway.stand import POLICE, Stand
from tests.validators import samples
from tests.validators.stories import write_narratives


def test_a_submission_goes_all_the_way(stand: Stand) -> None:
    sender = stand.sender(POLICE)
    submission = stand.send(sender, sender.message(3))
    stand.settle()
    assert stand.state(submission) is State.STORED
    assert stand.report(sender, submission)["verdict"] == "accepted"

    receipt = stand.get(f"/v1/submissions/{submission}/receipt", sender)
    shown = stand.get(f"/v1/submissions/{submission}", sender).get_json()
    proven = verify_receipt(
        receipt.get_data(as_text=True),
        verifier=stand.keys.log.verifier,
        ciphertext_sha256=shown["sha256"],
    )
    assert proven.entry.object_id == str(submission)

    asks = stand.as_role(Role.ANALYST, subject="first")
    answer = stand.client.post(
        "/v1/releases",
        json={"name": "spring-2026", "purpose": "Quarterly figures for the annual report"},
        headers=asks,
    )
    assert answer.status_code == 201, answer.get_data(as_text=True)
    release = answer.get_json()["id"]
    decision = f"/v1/releases/{release}/decision"
    same = stand.client.post(decision, json={"decision": "approve"}, headers=asks)
    assert (same.status_code, same.get_json()["code"]) == (409, "second-person-needed")
    decides = stand.as_role(Role.ANALYST, subject="second")
    approved = stand.client.post(decision, json={"decision": "approve"}, headers=decides)
    assert approved.status_code == 200, approved.get_data(as_text=True)
    stand.settle()
    assert stand.state(submission) is State.RELEASED
    manifest = stand.client.get(f"/v1/releases/{release}/manifest", headers=asks)
    assert manifest.status_code == 200, manifest.get_data(as_text=True)

    sealed = stand.client.get(f"/v1/releases/{release}/objects/{submission}", headers=asks)
    archive = BytesIO()
    unseal(
        BytesIO(sealed.get_data()),
        archive,
        keyring=stand.keys.vault,
        context=f"ctds-submission-{submission}.zip",
    )
    with ZipFile(archive) as bundle:
        assert len(bundle.read("CASE.jsonl").splitlines()) == 3
    assert stand.about(submission) == [
        "submission.received",
        "submission.opened",
        "submission.validated",
        "submission.stored",
        "report.read",
        "receipt.read",
        "submission.released",
        "release.retrieved",
    ]


def test_bad_rows_go_back_and_good_rows_go_on(stand: Stand) -> None:
    sender = stand.sender(POLICE)
    records = samples.children(3, seed=77)
    records["CASE"][1]["sex"] = "Q"
    submission = stand.send(sender, sender.encrypt(sender.package(records).data))
    stand.settle()
    report = stand.report(sender, submission)
    assert stand.state(submission) is State.STORED
    assert report["verdict"] == "accepted-in-part"
    assert "Q" not in [finding.get("value") for finding in report["findings"]]


def test_attachments_are_sealed_with_the_records(stand: Stand, tmp_path: Path) -> None:
    """The message as received is removed once it is judged: what is not sealed would be lost."""
    sender, scan = stand.sender(POLICE), b"%PDF-1.7 " + bytes(range(256)) * 1000
    with ZipFile(BytesIO(sender.package(samples.children(2, seed=78)).data)) as bundle:
        for name in ("CASE.csv", "EXPL.csv", "DECN.csv"):
            bundle.extract(name, tmp_path)
    write_narratives(tmp_path, {"scan.pdf": scan})
    submission = stand.send(sender, sender.encrypt(sender.package(tmp_path).data))
    stand.settle()
    files = stand.unsealed(submission)
    assert files["attachments/scan.pdf"] == scan
    assert len(files["CASE.jsonl"].splitlines()) == 2


def test_each_of_two_vault_keys_opens_what_is_sealed(
    environ: dict[str, str], stand: Stand, tmp_path: Path
) -> None:
    """The overlap of a change of keys."""
    second = generate_key("Second vault", now=datetime.now(UTC), valid_for=None)
    (tmp_path / "second.asc").write_bytes(public_part(second))
    both = f"{environ['VAULT_CERTIFICATE_FILE']}:{tmp_path / 'second.asc'}"
    worker = worker_services(
        Settings.load(environ | {"VAULT_CERTIFICATE_FILE": both}, Process.WORKER)
    )
    sender = stand.sender(POLICE)
    submission = stand.send(sender, sender.message(1))
    worker.processor.process(submission)
    worker.database.dispose()
    with stand.database.transaction() as session:
        found = find_submission(session, submission)
    assert found is not None
    assert found.sealed_key is not None
    sizes = set()
    for keyring in (stand.keys.vault, Keyring.load([second])):
        with stand.admin.objects.open(Bucket.VAULT, found.sealed_key) as sealed:
            context = f"ctds-submission-{submission}.zip"
            sizes.add(unseal(sealed, BytesIO(), keyring=keyring, context=context))
    assert len(sizes) == 1
