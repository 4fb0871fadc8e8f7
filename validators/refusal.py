"""Why a package is turned away before any of its records are read.

    ValidatorsError
    └── PackageRefused      code, message (what is wrong), mend (how to mend it)
        ├── not-a-zip       the bytes are no ZIP archive
        ├── zip-malformed   the parts of the archive contradict each other
        ├── zip-too-many    more entries than a return can need
        ├── zip-encrypted   entries under a password, which hides them from every check
        ├── zip-method      a compression other than stored or deflate
        ├── zip-path        a name outside the fixed set
        ├── zip-symlink     a link, which would read a file of the machine that unpacks it
        ├── zip-duplicate   one name twice: two readers would see two different packages
        ├── zip-nested      an archive inside the archive
        └── zip-bomb        larger, or far more inflated, than a return can be

A refusal names the position of an entry, never its name: a name is text of the sender and may hold
a person's name. `detail` is for the operator's log only.
"""

from validators.errors import ValidatorsError

_AGAIN = "Make the package again with `gateway package`, or with an ordinary ZIP tool."

REASONS: dict[str, tuple[str, str]] = {
    "not-a-zip": (
        "The decrypted submission is not a ZIP archive.",
        "Put manifest.json and the record files into one ZIP, then encrypt that ZIP.",
    ),
    "zip-malformed": (
        "The ZIP archive is damaged or its parts contradict each other.",
        f"{_AGAIN} Use no archive comment, no split archive and no ZIP64.",
    ),
    "zip-too-many": (
        "The ZIP archive holds more files than a package may.",
        "Send one file for each record type, and the attachments, and nothing else.",
    ),
    "zip-encrypted": (
        "The ZIP archive is protected by a password.",
        "Make the ZIP without a password: the package is encrypted as a whole with OpenPGP.",
    ),
    "zip-method": (
        "The ZIP archive uses a compression that is not accepted.",
        f"{_AGAIN} Choose the method 'deflate' or 'store'.",
    ),
    "zip-path": (
        "The ZIP archive holds a file whose name is not allowed.",
        "Allowed are manifest.json, one file for each record type such as CASE.csv, CASE.jsonl or "
        "CASE.xml, or one workbook RETURN.xlsx or RETURN.ods, "
        "and attachments/ with names of letters, digits, dot, dash and underscore.",
    ),
    "zip-symlink": (
        "The ZIP archive holds a link instead of a file.",
        f"{_AGAIN} Copy the files themselves into the package.",
    ),
    "zip-duplicate": (
        "The ZIP archive holds the same file or the same record type twice.",
        "Keep one file for each record type, or one workbook for all, and names that differ in "
        "more than upper case.",
    ),
    "zip-nested": (
        "The ZIP archive holds another archive.",
        "Put the files themselves into the package.",
    ),
    "zip-bomb": (
        "The ZIP archive inflates to more than a package may hold.",
        "Check that the files are the ones you mean to send; "
        "split a very large return by record type.",
    ),
}


class PackageRefused(ValidatorsError):
    """The package cannot be opened safely; nothing in it has been read as records."""

    def __init__(self, code: str, *, entry: int | None = None, detail: str = "") -> None:
        message, self.mend = REASONS[code]
        self.code = code
        self.message = message if entry is None else f"{message[:-1]} (entry {entry})."
        self.entry = entry
        self.detail = detail
        super().__init__(self.message)
