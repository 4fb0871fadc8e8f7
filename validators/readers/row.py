"""What the readers hand on: rows with their place in the file, and faults of the file's structure.

    ValidatorsError
    └── FileUnreadable      code "file-unreadable": reading cannot go on from here; carries findings

Text of the sender, such as an unknown column name, travels as a value of the finding and never as
its `column`: in a file that lacks its header, the first row of data stands where names should.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from validators.errors import ValidatorsError
from validators.filenames import spoken
from validators.findings import Finding, finding


@dataclass(frozen=True, slots=True)
class Row:
    """One record as sent. `number` is the row a spreadsheet shows; the header is row 1.

    `cells` is None when faults of structure leave no record to check.
    """

    number: int
    cells: Mapping[str, object] | None
    faults: tuple[Finding, ...] = ()


class FileUnreadable(ValidatorsError):
    """The rest of this file cannot be read; the findings say why."""

    code = "file-unreadable"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("the file cannot be read on")
        self.findings = tuple(findings)


def misshapen(
    name: str, detail: str, *, row: int | None = None, column: str | None = None, **values: str
) -> Finding:
    """Return a CT-011 finding; `detail` is our own clause, never text of the sender.

    Text of the sender may stand in `values` as `given`.
    """
    shown = {"name": spoken(name), "detail": detail, **values}
    return finding("CT-011", file=name, row=row, column=column, **shown)
