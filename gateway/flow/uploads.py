"""Resumable uploads: begun, continued from any machine, ended in the intake or forgotten.

An upload is no submission. It becomes one in the transaction that records it (`flow.intake`), when
everything has arrived, and its sender is told so by that very answer. Whoever asks for an upload
that is whole and was not recorded, because a process died in between, has it recorded then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from uuid import UUID, uuid4

from gateway.errors import Conflict, Gone, NotFound, RequestRefused, TooMany
from gateway.flow.arrival import Arrival, Checksum, Hash, RunningHashes, superseded
from gateway.flow.body import MessageBody, too_large
from gateway.flow.intake import Arrived, Intake
from gateway.records import Channel, Principal
from gateway.store.database import Database
from gateway.store.objects import Bucket, ObjectStore, Readable, Stored, quarantine_key
from gateway.store.uploads import (
    Upload,
    add_upload,
    end_upload,
    expired_uploads,
    find_upload,
    lock_upload,
    open_uploads,
    parts_of,
    remove_upload,
    set_length,
    take_over,
)

KEPT = timedelta(days=7)
"""How long an upload waits for its next octet."""

MOST_OPEN = 200
"""Uploads that one agency may have on their way."""

_SOME = 100


@dataclass(frozen=True, slots=True)
class Piece:
    """What a request adds to an upload, as it announces it.

    `size` is None where the request does not say. `length` is that of the whole upload, from a
    sender who did not know it before.
    """

    offset: int
    body: Readable
    size: int | None
    length: int | None = None
    checksum: Checksum | None = None


class Uploads:
    """The uploads of agencies. What is another agency's does not exist here."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        intake: Intake,
        *,
        max_bytes: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._objects = objects
        self._intake = intake
        self._hashes = RunningHashes()
        self.max_bytes = max_bytes
        self._clock = clock

    def begin(self, length: int | None, *, replaces: UUID | None, by: Principal) -> Upload:
        """Make room for a message of this many octets, or of as many as turn out."""
        now = self._clock()
        try:
            self._intake.admit(length, replaces=replaces, by=by)
            if length == 0:
                raise RequestRefused(
                    "empty-body", "The upload is empty.", "Send the encrypted package."
                )
            with self._database.transaction() as session:
                if open_uploads(session, by.agency, now=now) >= MOST_OPEN:
                    raise _too_many()
                return add_upload(
                    session,
                    upload_id=uuid4(),
                    agency_id=by.agency,
                    must_replace=replaces,
                    length=length,
                    now=now,
                    expires_at=now + KEPT,
                )
        except RequestRefused as refusal:
            self._intake.refuse(refusal, by=by)
            raise

    def find(self, upload_id: UUID, *, by: Principal) -> Upload:
        """How far an upload is; one that is whole is recorded before this returns."""
        with self._database.transaction() as session:
            upload = self._known(find_upload(session, upload_id, agency_id=by.agency))
        if upload.is_whole and upload.submission_id is None:
            return self.add(upload_id, Piece(upload.received, BytesIO(), size=0), by=by)
        return upload

    def add(self, upload_id: UUID, piece: Piece, *, by: Principal) -> Upload:
        """Take the next octets; with the last of them the upload becomes a submission."""
        upload = self._taken_over(upload_id, piece, by)
        if upload.submission_id is not None:
            return upload
        arrival = Arrival(self._database, self._objects, upload, max_bytes=self.max_bytes)
        running = self._hashes.take(upload)
        body = piece.body if upload.received else MessageBody(piece.body)
        rest = arrival.take(body, running=running, checksum=piece.checksum)
        if arrival.fits_one_object(rest):
            return self._end_small(upload, rest, by)
        arrival.settle(rest)
        if not arrival.is_whole:
            self._hashes.keep(upload.id, arrival.received, running)
            return self.find(upload_id, by=by)
        with self._database.transaction() as session:
            upload = self._known(find_upload(session, upload_id, agency_id=by.agency))
        return self._end(upload, self._joined(upload, running), upload.id, by)

    def end(self, upload_id: UUID, *, by: Principal) -> None:
        """Forget an upload that is not wanted any more, and all that has arrived of it."""
        with self._database.transaction() as session:
            upload = self._known(find_upload(session, upload_id, agency_id=by.agency))
        if upload.submission_id is not None:
            raise Conflict(
                "upload-complete",
                "This upload is a submission already.",
                "Withdraw the submission if it should not count.",
            )
        self._remove(upload)

    def remove_expired(self) -> int:
        """Forget uploads whose time is over; return how many there were."""
        removed = 0
        while True:
            with self._database.transaction() as session:
                expired = expired_uploads(session, now=self._clock(), limit=_SOME)
            for upload in expired:
                self._remove(upload)
            removed += len(expired)
            if len(expired) < _SOME:
                return removed

    def _known(self, upload: Upload | None) -> Upload:
        if upload is None:
            raise NotFound("upload")
        if upload.expires_at <= self._clock():
            raise Gone(
                "upload-expired",
                f"Nothing came for this upload in {KEPT.days} days, and it was given up.",
                "Begin a new upload.",
            )
        return upload

    def _taken_over(self, upload_id: UUID, piece: Piece, by: Principal) -> Upload:
        """The upload, with this request as the one that writes to it."""
        with self._database.transaction() as session:
            upload = self._known(lock_upload(session, upload_id))
            if upload.agency_id != by.agency:
                raise NotFound("upload")
            if piece.offset != upload.received:
                raise _wrong_offset(piece.offset, upload.received)
            length = self._length(upload, piece)
            if upload.submission_id is not None:
                return upload
            if upload.length is None and length is not None:
                set_length(session, upload_id, length)
            return take_over(session, upload_id, expires_at=self._clock() + KEPT)

    def _length(self, upload: Upload, piece: Piece) -> int | None:
        """The length of the whole, as it is known with this piece."""
        length = upload.length if upload.length is not None else piece.length
        if piece.length not in (None, length) or (length is not None and length < upload.received):
            raise Conflict(
                "upload-length",
                "The length of this upload was stated before, and it was another.",
                "Begin a new upload for another message.",
            )
        limit = self.max_bytes if length is None else min(length, self.max_bytes)
        if piece.offset + (piece.size or 0) > limit or (length or 0) > self.max_bytes:
            raise too_large(limit)
        return length

    def _joined(self, upload: Upload, running: Hash | None) -> Stored:
        """The parts as one object; what this process did not see of it is read once more."""
        key = quarantine_key(upload.agency_id, upload.id)
        with self._database.transaction() as session:
            parts = parts_of(session, upload.id)
        if upload.multipart is not None:
            self._objects.parts(Bucket.QUARANTINE).join(key, upload.multipart, parts)
        if running is None:
            running = sha256()
            for block in self._objects.get(Bucket.QUARANTINE, key):
                running.update(block)
        return Stored(key=key, size=upload.received, sha256=running.hexdigest())

    def _end_small(self, upload: Upload, data: bytes, by: Principal) -> Upload:
        """What fits one object needs no parts; each try has a key of its own."""
        submission_id = uuid4()
        key = quarantine_key(upload.agency_id, submission_id)
        stored = self._objects.put(Bucket.QUARANTINE, key, BytesIO(data))
        try:
            return self._end(upload, stored, submission_id, by)
        except RequestRefused:
            self._objects.delete(Bucket.QUARANTINE, key)
            raise

    def _end(self, upload: Upload, stored: Stored, submission_id: UUID, by: Principal) -> Upload:
        """ONE transaction makes the upload a submission; who comes second finds that it is one."""
        with self._database.transaction() as session:
            found = self._known(lock_upload(session, upload.id))
            if found.submission_id is not None and submission_id == upload.id:
                return found
            if found.submission_id is not None or found.writer != upload.writer:
                raise superseded()
            arrived = Arrived(submission_id, stored, Channel.TUS, replaces=found.must_replace)
            acknowledgement = self._intake.record(session, arrived, by=by)
            submission = acknowledgement.submission
            end_upload(session, upload.id, length=stored.size, submission_id=submission.id)
            ended = self._known(lock_upload(session, upload.id))
        if acknowledgement.repeated:
            self._objects.delete(Bucket.QUARANTINE, stored.key)
        self._forget_tail(upload)
        return ended

    def _remove(self, upload: Upload) -> None:
        with self._database.transaction() as session:
            removed = remove_upload(session, upload.id)
        if removed and upload.submission_id is None:
            key = quarantine_key(upload.agency_id, upload.id)
            if upload.multipart is not None:
                self._objects.parts(Bucket.QUARANTINE).abandon(key, upload.multipart)
            self._forget_tail(upload)

    def _forget_tail(self, upload: Upload) -> None:
        if upload.tail is not None:
            self._objects.delete(Bucket.QUARANTINE, upload.tail)


def _wrong_offset(given: int, received: int) -> Conflict:
    return Conflict(
        "upload-offset",
        f"This piece begins at {given}, but {received} bytes have arrived.",
        "Ask with HEAD how much has arrived, and go on from there.",
    )


def _too_many() -> TooMany:
    return TooMany(
        "too-many-uploads",
        f"{MOST_OPEN} uploads of this agency are on their way.",
        "Finish some of them, or end them with DELETE.",
    )
