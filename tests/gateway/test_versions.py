"""Submissions of two versions of the standard, each judged by its own and recorded so.

The later version is made for the test; a worker that was started while it is carried knows both.
"""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from gateway.settings import Process
from gateway.wiring.worker import WorkerServices, worker_services
from tests.gateway.stand import OTHER_POLICE, POLICE, Sender, Stand, fresh
from tests.validators import samples
from tests.validators.versions import GONE, NEW_CODE, NEW_COLUMN, NEXT, two_versions
from validators.publishing import published

COLUMN = str(NEW_COLUMN["name"])


@pytest.fixture
def worker(stand: Stand, tmp_path: Path) -> Iterator[WorkerServices]:
    """A worker of a release that carries both versions; so does everything else meanwhile."""
    with two_versions(tmp_path / f"ctds-{NEXT}"):
        published.cache_clear()
        both = worker_services(stand.settings(Process.WORKER))
        yield both
        both.database.dispose()
    published.cache_clear()


def sent(stand: Stand, worker: WorkerServices, sender: Sender, version: str) -> UUID:
    """A settled submission with a code that the later version alone has."""
    records = samples.children(2, seed=fresh())
    records["CASE"][0]["sex"] = NEW_CODE
    built = sender.package(records, standard_version=version)
    submission = stand.send(sender, sender.encrypt(built.data))
    worker.processor.process(submission)
    return submission


def test_each_submission_is_judged_by_the_version_it_names(
    stand: Stand, worker: WorkerServices
) -> None:
    verdicts = {"1.0": "accepted-in-part", NEXT: "accepted"}
    for version, agency in zip((NEXT, "1.0"), (POLICE, OTHER_POLICE), strict=True):
        sender = stand.sender(agency)
        submission = sent(stand, worker, sender, version)
        shown = stand.get(f"/v1/submissions/{submission}", sender).get_json()
        assert (shown["state"], shown["standard"]) == ("stored", f"CTDS {version}")
        report = stand.report(sender, submission)
        assert (report["verdict"], report["standard"]) == (verdicts[version], f"CTDS {version}")
        headers = {**sender.headers, "Accept": "text/html"}
        page = stand.client.get(f"/v1/submissions/{submission}/report", headers=headers)
        assert f"Checked against CTDS {version}<" in page.get_data(as_text=True)
        told = [each for each in stand.entries() if each.object_id == str(submission)]
        assert {each.standard for each in told} == {None, f"CTDS {version}"}


def test_a_dry_run_says_so_too(stand: Stand, worker: WorkerServices) -> None:
    sender = stand.sender(POLICE)
    built = sender.package(samples.children(1, seed=fresh()), standard_version=NEXT)
    dry_run = stand.try_out(sender, sender.encrypt(built.data))
    worker.rehearsal.process(dry_run)
    shown = stand.get(f"/v1/dry-runs/{dry_run}", sender).get_json()
    assert shown["standard"] == f"CTDS {NEXT}"


def test_a_gateway_that_carries_one_refuses_the_other(stand: Stand, worker: WorkerServices) -> None:
    del worker  # the package is built where both are known, and judged where one is
    sender = stand.sender(POLICE)
    built = sender.package(samples.children(1, seed=fresh()), standard_version=NEXT)
    submission = stand.send(sender, sender.encrypt(built.data))
    stand.settle()
    shown = stand.get(f"/v1/submissions/{submission}", sender).get_json()
    assert (shown["state"], shown["error_code"], shown["standard"]) == ("rejected", "CT-002", None)
    message = stand.report(sender, submission)["findings"][0]["message"]
    assert message == "manifest.json: this gateway accepts CTDS 1.0."


@pytest.mark.usefixtures("worker")
def test_both_are_published(stand: Stand) -> None:
    listed = stand.client.get("/v1/standards").get_json()
    assert listed == {"standard": "CTDS", "versions": ["1.0", NEXT]}
    for version, known in (("1.0", False), (NEXT, True)):
        path = f"/v1/standards/{version}"
        items = stand.client.get(f"{path}/codelists/CL_SEX").get_json()["items"]
        assert (NEW_CODE in items) is known
        described = stand.client.get(path).get_json()
        assert (GONE in described["rules"]) is not known
        page = stand.client.get(f"/standard/{version}/schemas/CASE.schema.json")
        assert (COLUMN in page.get_data(as_text=True)) is known
    index = stand.client.get("/standard/").get_data(as_text=True)
    assert index.index(f"{NEXT}/index.html") < index.index("1.0/index.html"), "the newest first"
