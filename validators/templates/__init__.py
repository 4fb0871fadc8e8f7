"""Returns to fill in, made from the standard: a workbook (XLSX, ODS) with drop-downs, or CSV files.

`planning` decides what a workbook says: its sheets, columns, notes, drop-downs and code lists.
`xlsx` and `ods` only write it down, so that both say the same. `example` reads the invented return
that is published with the standard. A drop-down helps and does not bind: pasted cells are checked
by the rules, not by the spreadsheet.
"""

from validators.templates.example import example_rows
from validators.templates.ods import as_ods
from validators.templates.planning import Rows, Template, plan
from validators.templates.text import as_csv
from validators.templates.xlsx import as_xlsx

__all__ = ["Rows", "Template", "as_csv", "as_ods", "as_xlsx", "example_rows", "plan"]
