"""The errors of this package. Verification returns the verified thing or raises one of these.

AuditError                  code "audit-error"
├── EntryRefused            code "entry-refused": an event that may not enter the log, or bytes
│                           that are not an entry; names the field, never its value
├── EvidenceRefused         code "evidence-refused": what was shown does not prove what it says
│   ├── NoteMalformed       code "note-malformed": not a signed note
│   ├── NoteUntrusted       code "note-untrusted": no signature by a key that we trust
│   ├── SignatureRefused    code "signature-refused": a trusted key's signature is wrong
│   ├── CheckpointRefused   code "checkpoint-refused": not a checkpoint of this log
│   ├── HandoverRefused     code "handover-refused": not a handover from a key that we trust
│   ├── ProofRefused        code "proof-refused": an inclusion or consistency proof fails
│   ├── ReceiptRefused      code "receipt-refused": not a receipt, or not for this submission
│   ├── PromiseRefused      code "promise-refused": not a promise of this log
│   ├── PromiseBroken       code "promise-broken": the log does not hold what it promised
│   ├── TileRefused         code "tile-refused": a tile or bundle of impossible shape
│   ├── TimestampRefused    code "timestamp-refused": a timestamp that proves nothing of this note
│   ├── AccusationRefused   code "accusation-refused": a kit that does not convict the log
│   └── LogTampered         code "log-tampered": tiles, entries and checkpoint disagree
├── KeyRefused              code "key-refused": text that is not a signing or verifying key
├── PolicyRefused           code "policy-refused": text that is not a policy of witnesses
├── NotCosigned             code "not-cosigned": a witness refuses (audit.witness)
├── TileMissing             code "tile-missing": the log publishes nothing under this path
├── OutOfRange              code "log-range": a leaf or a size that the tree does not have
└── LogDoesNotFit           code "log-does-not-fit": the store contradicts what was signed, so
                            signing on would fork the log; the operator must act
"""

from enum import StrEnum


class AuditError(Exception):
    """The root of this package's errors; `code` is stable and meant for machines."""

    code = "audit-error"


class EntryRefused(AuditError):
    """An event that may not enter the log, or bytes that are not an entry."""

    code = "entry-refused"


class EvidenceRefused(AuditError):
    """What was shown does not prove what it says."""

    code = "evidence-refused"


class NoteMalformed(EvidenceRefused):
    """The bytes are not a signed note."""

    code = "note-malformed"


class NoteUntrusted(EvidenceRefused):
    """No signature on the note is by a trusted key."""

    code = "note-untrusted"


class SignatureRefused(EvidenceRefused):
    """A signature that names a trusted key does not verify under it."""

    code = "signature-refused"


class CheckpointRefused(EvidenceRefused):
    """The note is not a checkpoint of this log."""

    code = "checkpoint-refused"


class HandoverRefused(EvidenceRefused):
    """The note does not hand a log over from a trusted key to another."""

    code = "handover-refused"


class ProofRefused(EvidenceRefused):
    """An inclusion or consistency proof fails."""

    code = "proof-refused"


class ReceiptRefused(EvidenceRefused):
    """The text is not a receipt, or the receipt is for something else."""

    code = "receipt-refused"


class PromiseRefused(EvidenceRefused):
    """The text is not a promise of this log."""

    code = "promise-refused"


class PromiseBroken(EvidenceRefused):
    """The log promised an entry by now, and does not hold it."""

    code = "promise-broken"


class TileRefused(EvidenceRefused):
    """A tile or bundle of impossible shape."""

    code = "tile-refused"


class TimestampRefused(EvidenceRefused):
    """Not a timestamp of an authority that we trust over these octets."""

    code = "timestamp-refused"


class AccusationRefused(EvidenceRefused):
    """The folder does not prove that the log contradicts itself."""

    code = "accusation-refused"


class Fault(StrEnum):
    """What contradicts what; `audit.evidence` turns most of them into a kit that convicts."""

    OTHER_LOG = "other-log"
    SHORTER = "shorter"
    FORKED = "forked"
    REWRITTEN = "rewritten"
    NO_ENTRY = "no-entry"
    REPEATED = "repeated-event"
    ALTERED = "altered-entry"
    TILE = "altered-tile"
    MISSING = "missing"
    ROOT = "other-root"


class LogTampered(EvidenceRefused):
    """Entries, tiles and checkpoint of a log disagree.

    `index` is the first place that does not fit, `earlier` the entry that it repeats, and the log
    is proven good up to `good_size` entries, since it extends a checkpoint of that size.
    """

    code = "log-tampered"

    def __init__(
        self,
        message: str,
        fault: Fault,
        *,
        index: int | None = None,
        earlier: int | None = None,
        good_size: int = 0,
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.index = index
        self.earlier = earlier
        self.good_size = good_size


class PolicyRefused(AuditError):
    """The text is not a policy of witnesses."""

    code = "policy-refused"


class KeyRefused(AuditError):
    """The text is not a signing or verifying key."""

    code = "key-refused"


class TileMissing(AuditError):
    """The log publishes nothing under this path."""

    code = "tile-missing"


class OutOfRange(AuditError):
    """The tree has no such leaf or no such size."""

    code = "log-range"


class LogDoesNotFit(AuditError):
    """The store contradicts what was signed; signing on would fork the log."""

    code = "log-does-not-fit"
