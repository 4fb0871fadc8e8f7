"""The errors of this package. Verification returns the verified thing or raises one of these.

AuditError                  code "audit-error"
├── EntryRefused            code "entry-refused": an event that may not enter the log, or bytes
│                           that are not an entry; names the field, never its value
├── EvidenceRefused         code "evidence-refused": what was shown does not prove what it says
│   ├── NoteMalformed       code "note-malformed": not a signed note
│   ├── NoteUntrusted       code "note-untrusted": no signature by a key that we trust
│   ├── SignatureRefused    code "signature-refused": a trusted key's signature is wrong
│   ├── CheckpointRefused   code "checkpoint-refused": not a checkpoint of this log
│   ├── ProofRefused        code "proof-refused": an inclusion or consistency proof fails
│   ├── ReceiptRefused      code "receipt-refused": not a receipt, or not for this submission
│   ├── TileRefused         code "tile-refused": a tile or bundle of impossible shape
│   └── LogTampered         code "log-tampered": tiles, entries and checkpoint disagree
├── KeyRefused              code "key-refused": text that is not a signing or verifying key
├── TileMissing             code "tile-missing": the log publishes nothing under this path
├── OutOfRange              code "log-range": a leaf or a size that the tree does not have
└── LogDoesNotFit           code "log-does-not-fit": the store contradicts what was signed, so
                            signing on would fork the log; the operator must act
"""


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


class ProofRefused(EvidenceRefused):
    """An inclusion or consistency proof fails."""

    code = "proof-refused"


class ReceiptRefused(EvidenceRefused):
    """The text is not a receipt, or the receipt is for something else."""

    code = "receipt-refused"


class TileRefused(EvidenceRefused):
    """A tile or bundle of impossible shape."""

    code = "tile-refused"


class LogTampered(EvidenceRefused):
    """Entries, tiles and checkpoint of a log disagree."""

    code = "log-tampered"


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
