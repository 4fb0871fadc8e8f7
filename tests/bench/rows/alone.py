"""Our checks alone, of cases that are in memory: no package, and nothing is kept of good rows."""

import sys
from pathlib import Path

import polars as pl

from tests.bench.rows.timed import timed
from tests.validators import samples
from validators.bulk.cells import rows_of
from validators.bulk.groups import BulkRecordIds
from validators.bulk.judging import Clearing
from validators.bulk.reading import ROW
from validators.manifest import load_manifest
from validators.rules import RecordContext, rules_for
from validators.schemas import Loader, build_schema
from validators.standard import load_standard

STANDARD = load_standard()
_AT_ONCE = 20_000


def read(file: Path) -> pl.DataFrame:
    """A frame of text, as those we are measured against have it."""
    return pl.read_csv(file, infer_schema=False, empty_string_is_null=False).with_row_index(ROW)


def checks(frame: pl.DataFrame) -> int:
    """Every field and every rule about one record, each fault told; and which ids stand twice."""
    schema = build_schema(STANDARD, "CASE", today=samples.RECEIVED_ON)
    manifest = load_manifest(
        dict(samples.package(STANDARD, samples.children(1)).manifest), standard=STANDARD
    )
    agency = STANDARD.agencies[manifest.agency_id]
    ctx = RecordContext(STANDARD, manifest, agency, samples.RECEIVED_ON)
    clearing, loader, ids = Clearing(schema, "CASE", ctx), Loader(schema), BulkRecordIds()
    bad = 0
    for some in frame.iter_slices(_AT_ONCE):
        cleared = clearing.clear(some)
        ids.see_frame("CASE.csv", cleared.texts)
        unfit = cleared.others["#unfit"].to_list()
        for row, columns in zip(rows_of(cleared.others), unfit, strict=True):
            record, errors = loader.load_suspect(row, columns)
            faults = [*errors]
            if record is not None:
                faults += [each for rule in rules_for("CASE") for each in rule.check(record, ctx)]
            bad += bool(faults)
    return bad + sum(1 for _ in ids.repeated())


if __name__ == "__main__":
    timed(checks, read(Path(sys.argv[1])))
