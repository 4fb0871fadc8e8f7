"""The mappings are those of the column "Maps to", every part of it and nothing more."""

import json
import re

import pytest

from validators.publishing import published
from validators.publishing.mappings import TARGETS, read_mappings
from validators.standard import data_folder, load_standard

STANDARD = load_standard()
MAPPINGS = read_mappings(data_folder(STANDARD))
PUBLISHED = json.loads(published()["1.0/standard.json"])
NOWHERE = ("—", "HTCDS: none", "derived")


def said() -> dict[tuple[str, str], str]:
    """What the standard says of each field, with "as above" filled in."""
    found = {}
    for code, record in PUBLISHED["records"].items():
        above = ""
        for field in record["fields"]:
            above = field["maps_to"].replace("as above", above)
            found[code, field["name"]] = above
    return found


SAID = said()


def test_every_row_is_of_a_field_and_a_known_target() -> None:
    for each in MAPPINGS:
        assert each.field in STANDARD.records[each.record_type].header
        assert each.target in TARGETS
        assert each.target_field or each.note
    assert len(set(MAPPINGS)) == len(MAPPINGS)
    assert {each.target for each in MAPPINGS} == set(TARGETS)


def test_rows_stand_in_the_order_of_the_fields() -> None:
    order = list(SAID)
    places = [order.index((each.record_type, each.field)) for each in MAPPINGS]
    assert places == sorted(places)


@pytest.mark.parametrize("where", SAID, ids=".".join)
def test_field_has_a_row_for_each_name_that_the_standard_gives(where: tuple[str, str]) -> None:
    rows = [each for each in MAPPINGS if (each.record_type, each.field) == where]
    for row in rows:
        assert row.target_field in SAID[where]
    parts = re.split(r";\s*(?![^()]*\))", SAID[where])
    wanted = [part for part in parts if part not in NOWHERE]
    assert bool(rows) == bool(wanted)
    for part in wanted:
        assert any(row.target_field in part for row in rows), part
    names = set(re.findall(r"\b(?:pv-[a-z-]+|[a-z]{3}_\w+)", SAID[where]))
    assert names <= {row.target_field for row in rows}
