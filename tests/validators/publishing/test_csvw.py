"""The CSVW metadata has the shape of the W3C's vocabulary and describes what the gateway clears.

"Metadata Vocabulary for Tabular Data", W3C Recommendation of 17 December 2015: sections 5.1.2
(kinds of properties), 5.3 to 5.6 (groups, tables, schemas, columns) and 5.11 (datatypes).
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from tests.validators.grid import good_rows
from tests.validators.publishing.boundaries import changed, rules_broken
from validators.publishing import published
from validators.standard import load_standard

STANDARD = load_standard()
METADATA: dict[str, Any] = json.loads(published()["1.0/csv-metadata.json"])
TABLES = {each["url"].removesuffix(".csv"): each for each in METADATA["tables"]}
GROUP = {"@context", "@type", "@id", "tables", "dialect", "notes", "tableDirection"}
TABLE = {"@type", "@id", "url", "tableSchema", "dialect", "notes", "suppressOutput"}
SCHEMA = {"@type", "@id", "columns", "foreignKeys", "primaryKey", "rowTitles"}
COLUMN = {"name", "titles", "datatype", "required", "separator", "null", "default", "ordered"}
DATATYPE = {"base", "format", "length", "minLength", "maxLength", "minimum", "maximum"}
DIALECT = {"encoding", "delimiter", "header", "quoteChar", "doubleQuote", "lineTerminators"}
LENGTHS = {"string", "base64Binary", "hexBinary", "anyURI"}
RANGES = {"integer", "decimal", "date"}
BASES = LENGTHS | RANGES | {"boolean", "gYearMonth"}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")  # of section 6.4's names, those without escapes


def own(raw: Mapping[str, Any]) -> set[str]:
    """The properties that are not common properties of a known prefix."""
    return {key for key in raw if not key.startswith("dc:")}


def test_group_has_the_shape_of_the_vocabulary() -> None:
    assert own(METADATA) <= GROUP
    assert METADATA["@context"] == ["http://www.w3.org/ns/csvw", {"@language": "en"}]
    assert METADATA["@type"] == "TableGroup"
    assert METADATA["dialect"].keys() <= DIALECT
    assert list(TABLES) == list(STANDARD.records)


@pytest.mark.parametrize("kind", TABLES)
def test_table_has_the_shape_of_the_vocabulary(kind: str) -> None:
    table = TABLES[kind]
    schema = table["tableSchema"]
    assert own(table) <= TABLE
    assert own(schema) <= SCHEMA
    names = [column["name"] for column in schema["columns"]]
    assert tuple(names) == STANDARD.records[kind].header
    assert schema["primaryKey"] in names
    for key in schema.get("foreignKeys", ()):
        assert key.keys() == {"columnReference", "reference"}
        assert key["columnReference"] in names
        assert key["reference"].keys() == {"resource", "columnReference"}
        there = TABLES[key["reference"]["resource"].removesuffix(".csv")]["tableSchema"]
        assert key["reference"]["columnReference"] == there["primaryKey"]


@pytest.mark.parametrize("kind", TABLES)
def test_column_has_the_shape_of_the_vocabulary(kind: str) -> None:
    for column in TABLES[kind]["tableSchema"]["columns"]:
        field = STANDARD.records[kind].field(column["name"])
        datatype = column["datatype"]
        assert own(column) <= COLUMN
        assert NAME.fullmatch(column["name"])
        assert column["titles"] == column["name"]
        assert column["required"] is (field.required == "R")
        assert column.get("separator") == (";" if field.type == "code_list" else None)
        assert datatype.keys() <= DATATYPE
        assert datatype["base"] in BASES
        assert {"length", "minLength", "maxLength"}.isdisjoint(datatype) or (
            datatype["base"] in LENGTHS
        )
        assert {"minimum", "maximum"}.isdisjoint(datatype) or datatype["base"] in RANGES
        if datatype["base"] == "string" and "format" in datatype:
            re.compile(datatype["format"])


def test_records_that_must_have_a_case_refer_to_it() -> None:
    refers = {
        kind: [key["columnReference"] for key in table["tableSchema"].get("foreignKeys", ())]
        for kind, table in TABLES.items()
    }
    assert {kind for kind, keys in refers.items() if keys == ["case_id"]} == {
        *("EXPL", "DECN", "MISS", "GUAR", "CARE"),
    }
    assert [keys for keys in refers.values() if keys not in ([], ["case_id"])] == []


@pytest.mark.parametrize("kind", TABLES)
def test_cell_that_the_gateway_clears_has_its_datatype(kind: str) -> None:
    columns = {column["name"]: column for column in TABLES[kind]["tableSchema"]["columns"]}
    for name, value in good_rows()[kind].items():
        assert fits(columns[name], value), (name, value)
    for of, name, value in dict.fromkeys(changed()):
        if of == kind and not rules_broken(kind, name, value):
            # A cell of spaces is blank to the gateway, and a text to CSV on the Web.
            assert fits(columns[name], value) or not value.strip(" "), (name, value)


def fits(column: Mapping[str, Any], text: str) -> bool:
    """Whether a cell has the datatype of its column (sections 6.4.2 to 6.4.5 of the model)."""
    if not text:
        return not column["required"]
    values = text.split(column["separator"]) if "separator" in column else [text]
    return all(_is_of(column["datatype"], value) for value in values)


def _is_of(datatype: Mapping[str, Any], value: str) -> bool:
    if datatype["base"] == "boolean":
        return value in datatype["format"].split("|")
    if datatype["base"] == "string":
        # CR LF counts as one character here, which is how the gateway counts.
        length = len(value.replace("\r\n", "\n"))
        low, high = datatype.get("minLength", 0), datatype.get("maxLength", length)
        return bool(re.search(datatype.get("format", ""), value)) and low <= length <= high
    if datatype["base"] == "date":
        return datatype["minimum"] <= value
    if not value.strip():
        return False
    number = Decimal(value)
    low, high = datatype.get("minimum", number), datatype.get("maximum", number)
    return Decimal(low) <= number <= Decimal(high)
