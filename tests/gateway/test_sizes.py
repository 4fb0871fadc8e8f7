"""Sizes of reports are found out once for all sessions, and within bounds."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from gateway.flow import papers
from gateway.flow.papers import FULL, MACHINE, REPORT
from gateway.flow.sizes import Sizes
from gateway.records import SCOPES, Principal, Role
from gateway.settings import Process, Settings
from gateway.store.objects import ObjectStore
from gateway.wiring.sftp import SftpServices, sftp_services
from tests.gateway.sftp.conftest import make_ssh_key
from tests.gateway.stand import POLICE, Stand
from tests.gateway.test_mailing import spoiled


def unasked() -> int:
    raise AssertionError("it was known")


def test_a_size_is_measured_once_until_it_is_forgotten() -> None:
    sizes, about = Sizes(), uuid4()
    assert sizes.of(about, REPORT, lambda: 7) == 7
    assert sizes.of(about, REPORT, unasked) == 7
    assert sizes.of(about, FULL, lambda: 9) == 9
    sizes.forget(about, REPORT)
    sizes.forget(uuid4(), REPORT)
    assert sizes.of(about, REPORT, lambda: 8) == 8
    assert sizes.of(about, FULL, unasked) == 9


def test_an_empty_one_is_known_too() -> None:
    sizes, about = Sizes(), uuid4()
    assert sizes.of(about, FULL, lambda: 0) == 0
    assert sizes.of(about, FULL, unasked) == 0


def test_what_was_not_asked_for_longest_is_forgotten() -> None:
    sizes = Sizes(most=2)
    first, second, third = (UUID(int=number) for number in range(3))
    for about in (first, second, first, third):
        sizes.of(about, REPORT, lambda: 1)
    sizes.of(first, REPORT, unasked)
    sizes.of(third, REPORT, unasked)
    assert sizes.of(second, REPORT, lambda: 2) == 2


def test_what_fails_is_not_remembered() -> None:
    sizes, about = Sizes(), uuid4()
    with pytest.raises(AssertionError):
        sizes.of(about, FULL, unasked)
    assert sizes.of(about, FULL, lambda: 3) == 3


def test_many_threads_may_ask() -> None:
    sizes, many = Sizes(most=3), [UUID(int=number % 7) for number in range(2_000)]
    with ThreadPoolExecutor(8) as threads:
        found = threads.map(lambda about: sizes.of(about, FULL, lambda: about.int), many)
    assert list(found) == [about.int for about in many]


@pytest.fixture
def services(stand: Stand, tmp_path: Path) -> Iterator[SftpServices]:
    tmp_path.chmod(0o700)
    make_ssh_key(tmp_path / "key")
    environ = {
        **stand.environ,
        "SFTP_HOST_KEY_FILE": str(tmp_path / "key"),
        "SFTP_SPOOL_FOLDER": str(tmp_path),
    }
    services = sftp_services(Settings.load(environ, Process.SFTP))
    yield services
    services.database.dispose()


def test_a_second_session_makes_no_report_to_list_it(
    stand: Stand, services: SftpServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = stand.sender(POLICE)
    by = Principal(
        subject="upload",
        role=Role.SUBMITTER,
        scopes=SCOPES[Role.SUBMITTER],
        auth_method="ssh-key",
        agency_id=POLICE,
    )
    stand.send(sender, spoiled(sender))
    stand.try_out(sender, spoiled(sender))
    stand.settle()
    listed = services.papers.lay_out(by=by, known={})
    assert sum(each.kind in (REPORT, MACHINE, FULL) for each in listed.values()) == 6
    for kind in (REPORT, MACHINE):
        monkeypatch.setitem(papers._REPORTS, kind, lambda _: str(unasked()))
    monkeypatch.setattr(ObjectStore, "size", lambda *_: unasked())
    assert services.papers.lay_out(by=by, known={}) == listed
    monkeypatch.undo()
    for paper in listed.values():
        if paper.kind == FULL:
            continue
        content = services.papers.take(paper, by=by)
        assert isinstance(content, bytes)
        assert len(content) == paper.size
