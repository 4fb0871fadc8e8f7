"""CSV files judged in bulk: the same verdicts, findings and records as row by row, much sooner.

Most rows of a return are good, and most of their cells and pairs of cells repeat. So a block of
rows is a polars frame; each field of the schema is asked once for each *different* text of its
column, and each rule once for each different combination of the columns that it looks at. A row
that nobody objects to is cleared: its record is put together from what fields made of its texts.
Every other row goes the ordinary way, which alone writes findings.

Neither fields nor rules are written a second time here. What is: the form of ids and tokens, as
patterns that may be stricter than the field and never looser (`columns`), and which rows can belong
to a group at all (`groups`). Both are proven against the ordinary way, row by row.

    reading    blocks of a CSV file
    columns    the cells of a block: fit, typed, as JSON
    asking     rules asked once for each combination
    groups     rows held against each other; only groups that may not fit are looked at one by one
    judging    the rows of a package

Needs polars (the `server` extra).
"""
