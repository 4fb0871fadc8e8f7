"""Reading the log: checkpoints, proofs, tiles, promises and receipts, for whoever may ask."""

from collections.abc import Sequence

from audit.actions import Action
from audit.checkpoint import claimed_checkpoint
from audit.entry import ObjectType
from audit.errors import OutOfRange, TileMissing
from audit.promise import Promiser
from audit.receipt import make_receipt
from audit.sequencer import prove_consistency, prove_inclusion
from audit.tiles import render_tile
from gateway.errors import NotFound, NotReady, RequestRefused
from gateway.flow.submissions import LogPlace
from gateway.flow.trail import AuditTrail, What
from gateway.records import Principal
from gateway.store.database import Database
from gateway.store.log import PostgresLog
from gateway.store.stamps import StampPlace, find_token, stamped_note, stamps_after
from gateway.timestamps import AUTHORITY_NAME


class LogReading:
    """What the log publishes."""

    def __init__(
        self, database: Database, log: PostgresLog, trail: AuditTrail, promiser: Promiser
    ) -> None:
        self._database = database
        self._log = log
        self._trail = trail
        self._promiser = promiser

    def checkpoint(self) -> bytes:
        """The newest checkpoint that is published."""
        head = self._log.published()
        if head is None:
            raise NotReady("log-empty", "The log has no checkpoint yet.", "Ask again in a second.")
        return head

    def inclusion(self, index: int) -> tuple[list[bytes], bytes]:
        """The proof that leaf `index` is under the newest checkpoint, and that checkpoint."""
        head = self.checkpoint()
        try:
            return list(prove_inclusion(self._log, index, head)), head
        except OutOfRange as error:
            raise _out_of_range() from error

    def consistency(self, first: int, second: int) -> tuple[list[bytes], bytes]:
        """The proof that the tree of size `second` extends that of size `first`."""
        head = self.checkpoint()
        try:
            return list(prove_consistency(self._log, first, second)), head
        except OutOfRange as error:
            raise _out_of_range() from error

    def tile(self, path: str) -> bytes:
        """A tile of hashes by its C2SP path."""
        try:
            return render_tile(self._log, path)
        except TileMissing as error:
            raise NotFound("tile") from error

    def entries(self, path: str, *, by: Principal) -> bytes:
        """A bundle of entries; the reading is in the log before the answer leaves."""
        bundle = self.tile(path)
        with self._database.transaction() as session:
            self._trail.record(session, Action.LOG_READ, by, What(object_type=ObjectType.LOG))
        return bundle

    def promise(self, entry: bytes) -> str:
        """The log's word that it will hold the entry of a submission; to be had at once."""
        return self._promiser.promise(entry)

    def stamps(self, *, after: int) -> Sequence[StampPlace]:
        """Which timestamps there are over checkpoints of more than `after` entries, in pages."""
        with self._database.transaction() as session:
            return stamps_after(session, after)

    def stamped(self, size: int) -> bytes:
        """The checkpoint of a size that was stamped, in the very octets."""
        with self._database.transaction() as session:
            note = stamped_note(session, size)
        if note is None:
            raise NotFound("checkpoint with a timestamp")
        return note

    def timestamp(self, size: int, authority: str) -> bytes:
        """What an authority answered about the checkpoint of a size."""
        if not AUTHORITY_NAME.fullmatch(authority):
            raise NotFound("timestamp")
        with self._database.transaction() as session:
            token = find_token(session, size, authority)
        if token is None:
            raise NotFound("timestamp")
        return token

    def receipt(self, place: LogPlace) -> str:
        """A receipt that can be verified offline, once the entry is under a checkpoint."""
        return receipt_of(self._log, place)


def receipt_of(log: PostgresLog, place: LogPlace) -> str:
    """The receipt for an entry under a checkpoint that is published; NotReady before that."""
    head, index = log.published(), place.index
    if head is None or index is None or index >= claimed_checkpoint(head).size:
        raise NotReady(
            "receipt-not-ready",
            "The submission is safe; its receipt is being signed.",
            "Ask again in a second.",
        )
    proof = prove_inclusion(log, index, head)
    return make_receipt(place.entry, index, proof, head).to_text()


def _out_of_range() -> RequestRefused:
    return RequestRefused(
        "log-range",
        "The log has no tree of that size or no leaf of that number.",
        "Ask for numbers within the newest checkpoint.",
    )
