"""docs/deployment.md: what the table of buckets lets each process do is enough for what it does."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.client import BaseClient
from sqlalchemy import text

from tests.docs.pages import section
from tests.gateway.stand import ADMINISTRATOR, POLICE, Sender, Stand, fresh
from tests.validators import samples

RIGHTS = {
    "get": {"GetObject", "HeadObject"},
    "put": {"PutObject"},
    "delete": {"DeleteObject"},
    "abort": {"AbortMultipartUpload"},
    "head bucket": {"HeadBucket"},
    "multipart": {
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
    },
    "none": set[str](),
}
Asked = set[tuple[str, str]]


def allowed(process: str) -> Asked:
    """What the table lets a process ask of each bucket."""
    rows = re.findall(r"^\| (.*) \|$", section("deployment.md", "Object storage"), re.MULTILINE)
    head, row = rows[0], next(row for row in rows if row.startswith(f"{process} |"))
    buckets = [name.strip("` ") for name in head.split("|")[1:]]
    return {
        (bucket, operation)
        for bucket, rights in zip(buckets, row.split(" | ")[1:], strict=True)
        for right in rights.split(", ")
        for operation in RIGHTS[right]
    }


@contextmanager
def asked_of_the_store(stand: Stand) -> Iterator[Asked]:
    """What is asked of the object store meanwhile."""
    seen: Asked = set()
    prefix = stand.environ["S3_BUCKET_PREFIX"]
    ask = BaseClient._make_api_call

    def noted(client: BaseClient, operation: str, given: dict[str, Any]) -> Any:
        seen.add((given["Bucket"].removeprefix(f"{prefix}-"), operation))
        return ask(client, operation, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", noted)
        yield seen


def spoiled(sender: Sender) -> bytes:
    """A package of which one row goes back, with its value in the full report."""
    records = samples.children(2, seed=fresh())
    records["CASE"][0]["sex"] = "Quillfeather"
    return sender.encrypt(sender.package(records).data)


def test_worker_and_web_process_need_no_more_of_the_object_store(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender, mails = stand.sender(POLICE), []
    office = SimpleNamespace(
        sender="gateway@commissioner.test", send=lambda mail, **_: mails.append(mail)
    )
    monkeypatch.setattr(stand.worker.mailing, "_office", office)
    stand.admin.mailboxes.set(POLICE, "data@agency.test", by=ADMINISTRATOR)
    begin = {"Tus-Resumable": "1.0.0", "Upload-Length": str(32 << 20)}
    octets = {"Content-Type": "application/offset+octet-stream"}
    with asked_of_the_store(stand) as by_web:
        submission = stand.send(sender, spoiled(sender))
        stand.try_out(sender, spoiled(sender))
        begun = stand.client.post(
            "/v1/uploads", headers=sender.headers | begin | octets, data=b"\xc1" * ((8 << 20) + 1)
        )
        assert begun.status_code == 201
        assert stand.client.get("/readyz").status_code == 200
    with asked_of_the_store(stand) as by_worker:
        stand.settle()
        stand.worker.mailing.send(submission)
        with stand.database.transaction() as session:
            session.execute(text("UPDATE dry_run SET expires_at = now()"))
            session.execute(text("UPDATE upload SET expires_at = now()"))
        assert stand.worker.rehearsal.remove_expired() >= 1
        assert stand.worker.uploads.remove_expired() >= 1
    with asked_of_the_store(stand) as by_reader:
        answer = stand.get(f"/v1/submissions/{submission}/report.pgp", sender)
        assert answer.status_code == 200
    assert len(mails) == 1
    assert ("reports", "DeleteObject") in by_worker
    assert by_worker <= allowed("worker")
    assert by_web | by_reader <= allowed("web")
