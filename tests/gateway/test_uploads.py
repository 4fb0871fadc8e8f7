"""Resumable uploads: every way in which one can break off, go on, be abused and come to its end."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from werkzeug.test import TestResponse

from gateway.errors import ServiceFailed
from gateway.flow import uploads as flow
from gateway.flow.arrival import Arrival
from gateway.flow.uploads import KEPT, Uploads
from gateway.records import State
from gateway.store.objects import PART, Bucket, quarantine_key
from gateway.store.parts import PartStore
from tests.gateway.stand import COUNCIL, OTHER_POLICE, Sender, Stand, octets

PIECE = "application/offset+octet-stream"
LARGE = PART + PART // 2
PATH = "/v1/uploads"


@pytest.fixture(scope="module")
def sender(stand: Stand) -> Sender:
    """An agency in good standing."""
    return stand.sender(OTHER_POLICE)


def ask(stand: Stand, sender: Sender, method: str, path: str = PATH, **given: Any) -> TestResponse:
    """A request of tus 1.0; headers are written with _ for -."""
    data = given.pop("data", None)
    headers = {name.replace("_", "-"): str(value) for name, value in given.items()}
    return stand.client.open(
        path,
        method=method,
        data=data,
        headers={"Tus-Resumable": "1.0.0"} | sender.headers | headers,
    )


def begin(stand: Stand, sender: Sender, **given: Any) -> str:
    answer = ask(stand, sender, "POST", **given)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.headers["Location"]


def add(
    stand: Stand, sender: Sender, path: str, data: bytes, offset: int, **given: Any
) -> TestResponse:
    given = {"Content_Type": PIECE, "Upload_Offset": offset} | given
    return ask(stand, sender, "PATCH", path, data=data, **given)


def received(stand: Stand, sender: Sender, path: str) -> int:
    answer = ask(stand, sender, "HEAD", path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return int(answer.headers["Upload-Offset"])


def submission(answer: TestResponse) -> UUID:
    return UUID(answer.headers["Content-Location"].rpartition("/")[2])


def kept(stand: Stand, sender: Sender, found: UUID) -> bytes:
    """What is held of a submission until it is judged."""
    key = quarantine_key(sender.agency_id, found)
    return b"".join(stand.admin.objects.get(Bucket.QUARANTINE, key))


def leftovers(stand: Stand) -> tuple[set[str], int]:
    """The tails there are, and how many uploads of parts are open in the store."""
    store = stand.admin.objects
    bucket = store._name(Bucket.QUARANTINE)
    objects = store._client.list_objects_v2(Bucket=bucket).get("Contents", [])
    open_parts = store._client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    return {each["Key"] for each in objects if ".tail" in each["Key"]}, len(open_parts)


def code(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_a_package_in_pieces_is_a_submission_like_any_other(stand: Stand, sender: Sender) -> None:
    message = sender.message()
    path = begin(stand, sender, Upload_Length=len(message))
    for start in range(0, len(message), 1000):
        assert received(stand, sender, path) == start
        answer = add(stand, sender, path, message[start : start + 1000], start)
        assert answer.status_code == 204
        assert ("Content-Location" in answer.headers) == (start + 1000 >= len(message))
    found = submission(answer)
    assert kept(stand, sender, found) == message
    assert submission(ask(stand, sender, "HEAD", path)) == found
    stand.settle()
    assert stand.state(found) is State.STORED
    assert stand.about(found)[0] == "submission.received"
    shown = stand.get(f"/v1/submissions/{found}", sender).get_json()
    assert (shown["channel"], shown["size"]) == ("tus", len(message))
    receipt = stand.get(f"/v1/submissions/{found}/receipt", sender)
    assert receipt.status_code == 200
    assert leftovers(stand) == (set(), 0)


def test_a_large_upload_goes_up_in_parts_and_is_whole(stand: Stand, sender: Sender) -> None:
    message = octets(2 * PART + 12345)
    cuts = [0, 7, PART - 1, PART + 1, 2 * PART, len(message)]
    path = begin(stand, sender, Upload_Length=len(message))
    for start, end in pairwise(cuts):
        answer = add(stand, sender, path, message[start:end], start)
    found = submission(answer)
    assert hashlib.sha256(kept(stand, sender, found)).digest() == hashlib.sha256(message).digest()
    shown = stand.get(f"/v1/submissions/{found}", sender).get_json()
    assert shown["sha256"] == hashlib.sha256(message).hexdigest()
    assert leftovers(stand) == (set(), 0)


def test_one_request_may_be_all_of_it(stand: Stand, sender: Sender) -> None:
    for size in (100, LARGE):
        message = octets(size)
        answer = ask(
            *(stand, sender, "POST"), data=message, Content_Type=PIECE, Upload_Length=len(message)
        )
        assert answer.status_code == 201
        assert int(answer.headers["Upload-Offset"]) == size
        assert kept(stand, sender, submission(answer)) == message


@given(data=st.data())
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_however_it_is_cut_the_octets_are_the_same(
    stand: Stand, sender: Sender, data: st.DataObject
) -> None:
    size = data.draw(st.sampled_from([1, 1000, PART, PART + 1, LARGE]))
    message = octets(size)
    cuts = data.draw(st.lists(st.integers(0, size), max_size=5).map(sorted))
    deferred = data.draw(st.booleans())
    lengths = {"Upload_Defer_Length": 1} if deferred else {"Upload_Length": size}
    path = begin(stand, sender, **lengths)
    fresh = data.draw(st.booleans())
    for start, end in zip([0, *cuts], [*cuts, size], strict=True):
        if fresh:  # as if another process had taken the request
            stand.services.uploads._hashes._kept.clear()
        more = {"Upload_Length": size} if deferred and end == size else {}
        if end == start and not more:
            continue
        answer = add(stand, sender, path, message[start:end], start, **more)
        assert answer.status_code == 204, answer.get_data(as_text=True)
    found = submission(answer)
    shown = stand.get(f"/v1/submissions/{found}", sender).get_json()
    assert shown["sha256"] == hashlib.sha256(message).hexdigest()
    assert kept(stand, sender, found) == message


class Wire:
    """A request body as a WSGI server hands it over."""

    def __init__(self, data: bytes, before: Callable[[], object] = lambda: None) -> None:
        self._body, self._before = BytesIO(data), before

    def read(self, size: int = -1, /) -> bytes:
        before, self._before = self._before, lambda: None
        before()
        return self._body.read(size)

    def close(self) -> None:
        self._body.close()


def patch(stand: Stand, sender: Sender, path: str, body: Wire, size: int) -> TestResponse:
    """A piece from the beginning on, announced with this size, over a connection of its own."""
    return stand.client.patch(
        path,
        headers=sender.headers
        | {"Tus-Resumable": "1.0.0", "Content-Type": PIECE, "Upload-Offset": "0"},
        environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": str(size)},
    )


@pytest.mark.parametrize("share", range(0, 100, 9))
def test_a_connection_cut_at_any_share_goes_on_where_it_ended(
    stand: Stand, sender: Sender, share: int
) -> None:
    message = octets(LARGE)
    path = begin(stand, sender, Upload_Length=len(message))
    arrives = len(message) * share // 100
    patch(stand, sender, path, Wire(message[:arrives]), len(message))
    assert received(stand, sender, path) == arrives
    answer = add(stand, sender, path, message[arrives:], arrives)
    assert kept(stand, sender, submission(answer)) == message


def test_the_same_bytes_again_are_the_same_submission(stand: Stand, sender: Sender) -> None:
    message = octets(LARGE)
    posted = UUID(stand.post(sender, message).get_json()["id"])
    path = begin(stand, sender, Upload_Length=len(message))
    assert submission(add(stand, sender, path, message, 0)) == posted
    assert kept(stand, sender, posted) == message
    small = sender.message()
    first = begin(stand, sender, Upload_Length=len(small))
    found = submission(add(stand, sender, first, small, 0))
    second = begin(stand, sender, Upload_Length=len(small))
    assert submission(add(stand, sender, second, small, 0)) == found
    assert kept(stand, sender, found) == small


def test_a_replacement_names_what_it_replaces(stand: Stand, sender: Sender) -> None:
    def named(value: object) -> str:
        return f"filename YS5wZ3A=,replaces {b64encode(str(value).encode()).decode()}"

    answer = ask(stand, sender, "POST", Upload_Length=9, Upload_Metadata=named(uuid4()))
    assert code(answer) == (404, "not-found")
    answer = ask(stand, sender, "POST", Upload_Length=9, Upload_Metadata=named("nothing"))
    assert code(answer) == (400, "tus-header-malformed")
    earlier = stand.send(sender, sender.message())
    stand.settle()
    path = begin(stand, sender, Upload_Length=9, Upload_Metadata=named(earlier))
    found = submission(add(stand, sender, path, octets(9), 0))
    with stand.database.transaction() as session:
        query = text("SELECT must_replace FROM submission WHERE id = :id")
        assert session.execute(query, {"id": found}).scalar_one() == earlier


def test_what_it_was_called_is_kept_nowhere(stand: Stand, sender: Sender) -> None:
    name = b64encode(b"Amira Canary.pgp").decode()
    begin(stand, sender, Upload_Length=9, Upload_Metadata=f"filename {name}")
    with stand.database.transaction() as session:
        rows = session.execute(text("SELECT row_to_json(upload)::text FROM upload")).scalars()
        assert not [row for row in rows if "Canary" in row or name in row]


BAD: dict[str, tuple[str, dict[str, Any], tuple[int, str]]] = {
    "no length": ("POST", {}, (400, "tus-header-malformed")),
    "two lengths": (
        "POST",
        {"Upload_Length": 3, "Upload_Defer_Length": 1},
        (400, "tus-header-malformed"),
    ),
    "negative length": ("POST", {"Upload_Length": -1}, (400, "tus-header-malformed")),
    "length in words": ("POST", {"Upload_Length": "1e400"}, (400, "tus-header-malformed")),
    "empty": ("POST", {"Upload_Length": 0}, (400, "empty-body")),
    "too large": ("POST", {"Upload_Length": 1 << 50}, (413, "too-large")),
    "metadata": (
        "POST",
        {"Upload_Length": 3, "Upload_Metadata": "a b c"},
        (400, "tus-header-malformed"),
    ),
    "other version": ("POST", {"Upload_Length": 3, "Tus_Resumable": "0.2"}, (412, "tus-version")),
    "no offset": ("PATCH", {"Upload_Offset": ""}, (400, "tus-header-malformed")),
    "negative offset": ("PATCH", {"Upload_Offset": -1}, (400, "tus-header-malformed")),
    "offset beyond": ("PATCH", {"Upload_Offset": 5}, (409, "upload-offset")),
    "media type": ("PATCH", {"Content_Type": "text/plain"}, (415, "media-type")),
    "too long": ("PATCH", {"data": bytes(11)}, (413, "too-large")),
    "other length": ("PATCH", {"Upload_Length": 12}, (409, "upload-length")),
    "no algorithm": ("PATCH", {"Upload_Checksum": "md5 AAAA"}, (400, "tus-header-malformed")),
    "no checksum": ("PATCH", {"Upload_Checksum": "sha256 ###"}, (400, "tus-header-malformed")),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_taken_is_refused_and_changes_nothing(
    stand: Stand, sender: Sender, name: str
) -> None:
    method, changed, expected = BAD[name]
    path = PATH
    if method == "PATCH":
        path = begin(stand, sender, Upload_Length=10)
        changed = {"Content_Type": PIECE, "Upload_Offset": 0, "data": b"abc"} | changed
    answer = ask(stand, sender, method, path, **changed)
    assert code(answer) == expected
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    if method == "PATCH":
        assert received(stand, sender, path) == 0


def test_a_piece_that_is_not_its_checksum_is_kept_nowhere(stand: Stand, sender: Sender) -> None:
    message = octets(LARGE)
    path = begin(stand, sender, Upload_Length=len(message))
    assert add(stand, sender, path, message[:10], 0).status_code == 204
    wrong = f"sha256 {b64encode(hashlib.sha256(b'other').digest()).decode()}"
    answer = add(stand, sender, path, message[10:], 10, Upload_Checksum=wrong)
    assert code(answer) == (460, "checksum-mismatch")
    assert received(stand, sender, path) == 10
    right = f"sha1 {b64encode(hashlib.sha1(message[10:]).digest()).decode()}"
    answer = add(stand, sender, path, message[10:], 10, Upload_Checksum=right)
    assert kept(stand, sender, submission(answer)) == message


def test_what_is_complete_takes_nothing_more_and_is_not_forgotten(
    stand: Stand, sender: Sender
) -> None:
    path = begin(stand, sender, Upload_Length=5)
    found = submission(add(stand, sender, path, b"\xc1hole", 0))
    assert add(stand, sender, path, b"", 5).status_code == 204
    assert code(add(stand, sender, path, b"x", 5)) == (413, "too-large")
    assert code(add(stand, sender, path, b"\xc1hole", 0)) == (409, "upload-offset")
    assert code(ask(stand, sender, "DELETE", path)) == (409, "upload-complete")
    assert kept(stand, sender, found) == b"\xc1hole"


def test_another_agencys_upload_does_not_exist(stand: Stand, sender: Sender) -> None:
    path, other = begin(stand, sender, Upload_Length=5), stand.sender(COUNCIL)
    absent = f"{PATH}/{uuid4()}"
    for method, given_ in (("HEAD", {}), ("DELETE", {}), ("PATCH", {"Upload_Offset": 0})):
        answers = [
            ask(stand, other, method, where, Content_Type=PIECE, data=b"x", **given_)
            for where in (path, absent)
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        bodies = [answer.get_json(silent=True) or {} for answer in answers]
        assert bodies[0].get("mend") == bodies[1].get("mend")
    assert received(stand, sender, path) == 0


def test_an_upload_that_is_not_wanted_leaves_nothing(stand: Stand, sender: Sender) -> None:
    before = leftovers(stand)
    path = begin(stand, sender, Upload_Length=2 * PART)
    add(stand, sender, path, octets(PART + 5), 0)
    assert leftovers(stand) != before
    assert ask(stand, sender, "DELETE", path).status_code == 204
    assert leftovers(stand) == before
    assert ask(stand, sender, "HEAD", path).status_code == 404


def test_an_upload_that_is_forgotten_expires(
    stand: Stand, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = leftovers(stand)
    path = begin(stand, sender, Upload_Length=2 * PART)
    add(stand, sender, path, octets(PART + 5), 0)
    later = stand.services.uploads._clock() + KEPT + timedelta(seconds=1)
    for services in (stand.services, stand.worker):
        monkeypatch.setattr(services.uploads, "_clock", lambda: later)
    assert ask(stand, sender, "HEAD", path).status_code == 410
    assert code(add(stand, sender, path, b"x", PART + 5)) == (410, "upload-expired")
    assert stand.worker.uploads.remove_expired() >= 1
    assert ask(stand, sender, "HEAD", path).status_code == 404
    assert leftovers(stand)[1] <= before[1]


def test_too_many_at_once_are_refused(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = stand.sender("POL-E23000001")
    monkeypatch.setattr(flow, "MOST_OPEN", 2)
    paths = [begin(stand, sender, Upload_Length=5) for _ in range(2)]
    answer = ask(stand, sender, "POST", Upload_Length=5)
    assert code(answer) == (429, "too-many-uploads")
    assert answer.headers["Retry-After"]
    add(stand, sender, paths[0], octets(5), 0)
    begin(stand, sender, Upload_Length=5)


def test_of_two_that_write_at_once_one_goes_on_and_nothing_is_mixed(
    stand: Stand, sender: Sender
) -> None:
    message = octets(LARGE)
    path = begin(stand, sender, Upload_Length=len(message))
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda _: add(stand, sender, path, message, 0).status_code, range(8))
        )
    assert set(answers) <= {204, 409, 423}
    at = received(stand, sender, path)
    if at < len(message):
        add(stand, sender, path, message[at:], at)
    answer = ask(stand, sender, "HEAD", path)
    assert kept(stand, sender, submission(answer)) == message


def test_who_was_superseded_can_harm_nothing(stand: Stand, sender: Sender) -> None:
    """A connection that hung for an hour comes back with other octets."""
    message = octets(LARGE)
    path = begin(stand, sender, Upload_Length=len(message))

    def meanwhile() -> None:
        assert add(stand, sender, path, message[:PART], 0).status_code == 204

    answer = patch(stand, sender, path, Wire(octets(LARGE), meanwhile), LARGE)
    assert code(answer) == (423, "upload-superseded")
    assert received(stand, sender, path) == PART
    answer = add(stand, sender, path, message[PART:], PART)
    assert kept(stand, sender, submission(answer)) == message


class Died(Exception):
    """The process ended here."""


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch, owner: type, step: str, *, done: bool) -> Iterator[None]:
    """Have a step end the process, before or after it is done."""
    real = getattr(owner, step)

    def end(*args: Any, **given_: Any) -> None:
        if done:
            real(*args, **given_)
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, end)
        yield


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize(
    ("owner", "step"),
    [
        *((PartStore, step) for step in ("begin", "put", "join")),
        *((Arrival, step) for step in ("_record", "settle")),
        *((Uploads, step) for step in ("_taken_over", "_joined", "_end")),
    ],
)
@pytest.mark.parametrize("size", [3000, LARGE])
def test_killed_at_any_step_it_goes_on_and_is_recorded_once(
    stand: Stand,
    sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    step: str,
    done: bool,
    size: int,
) -> None:
    message = octets(size)
    path = begin(stand, sender, Upload_Length=size)
    add(stand, sender, path, message[:1000], 0)
    with dying(monkeypatch, owner, step, done=done):
        stand.client.patch(
            path,
            data=message[1000:],
            headers=sender.headers
            | {"Tus-Resumable": "1.0.0", "Content-Type": PIECE, "Upload-Offset": "1000"},
        )
    at = received(stand, sender, path)
    answer = add(stand, sender, path, message[at:], at)
    assert answer.status_code == 204, answer.get_data(as_text=True)
    found = submission(answer)
    assert kept(stand, sender, found) == message
    with stand.database.transaction() as session:
        query = text("SELECT count(*) FROM submission WHERE sha256 = :sha256")
        digest = hashlib.sha256(message).hexdigest()
        assert session.execute(query, {"sha256": digest}).scalar_one() == 1
    assert stand.about(found).count("submission.received") == 1


def test_a_store_that_is_away_is_said_and_nothing_counts(
    stand: Stand, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = octets(LARGE)
    path = begin(stand, sender, Upload_Length=LARGE)

    def away(*_: Any, **__: Any) -> None:
        raise ServiceFailed("object-not-stored", "Away.", "Later.")

    with monkeypatch.context() as patch:
        patch.setattr(PartStore, "put", away)
        answer = add(stand, sender, path, message, 0)
    assert code(answer) == (503, "object-not-stored")
    assert answer.headers["Retry-After"]
    assert received(stand, sender, path) == 0
    assert kept(stand, sender, submission(add(stand, sender, path, message, 0))) == message


def test_what_it_can_do_is_told_to_anybody(stand: Stand) -> None:
    answer = stand.client.options(PATH)
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert "creation-with-upload" in answer.headers["Tus-Extension"]
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256,sha512"
    assert int(answer.headers["Tus-Max-Size"]) > 0
