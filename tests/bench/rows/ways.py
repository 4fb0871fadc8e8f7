"""How others check a CSV file of cases, each in a process of its own."""

import csv
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from tests.bench.rows.checks import checks
from tests.bench.rows.timed import timed
from tests.validators import samples
from validators.schemas import build_schema, load_row
from validators.standard import load_standard

TODAY: date = samples.RECEIVED_ON


def marshmallow(file: Path) -> int:
    """Fields alone, row by row; no rules, nothing kept."""
    schema = build_schema(load_standard(), "CASE", today=TODAY)
    with file.open(newline="", encoding="utf-8") as stream:
        return sum(load_row(schema, row)[0] is None for row in csv.DictReader(stream))


def pandera(file: Path) -> int:
    """The polars backend with every check, all failures collected."""
    return pandera_alone(_read(file))


def pandera_alone(frame: pl.DataFrame) -> int:
    """The same of rows that are in memory."""
    schema = pa.DataFrameSchema(
        {name: pa.Column(pl.String) for name in frame.columns},
        checks=[_check(condition) for condition in checks()],
        unique=["record_id"],
    )
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as found:
        return int(found.failure_cases["index"].n_unique())
    return 0


def _read(file: Path) -> pl.DataFrame:
    return pl.read_csv(file, infer_schema=False, empty_string_is_null=False)


def _check(condition: str) -> pa.Check:
    return pa.Check(lambda data: data.lazyframe.select(pl.sql_expr(condition)))


def sql(file: Path) -> int:
    """DuckDB counting the rows that fail each check, without a word on which."""
    conditions = [each.replace("REGEXP_LIKE", "regexp_matches") for each in checks()]
    failing = ", ".join(f"count(*) FILTER (WHERE NOT {each})" for each in conditions)
    good = " AND ".join(conditions)
    query = f"SELECT count(*) FILTER (WHERE NOT ({good})), count(DISTINCT record_id), {failing} "
    [found] = duckdb.sql(
        f"{query} FROM read_csv('{file}', all_varchar = true, nullstr = '\\N')"
    ).fetchall()
    return int(found[0])


WAYS: dict[str, Callable[[Path], int]] = {
    "marshmallow": marshmallow,
    "pandera": pandera,
    "duckdb": sql,
}


if __name__ == "__main__":
    if sys.argv[1] == "pandera-alone":
        timed(pandera_alone, _read(Path(sys.argv[2])))
    else:
        timed(WAYS[sys.argv[1]], Path(sys.argv[2]))
