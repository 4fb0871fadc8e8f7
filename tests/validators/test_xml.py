"""XML record files, as a tool exports them and as nobody should write them."""

import io
import tracemalloc
from collections.abc import Iterator

import pytest

from tests.validators import samples
from validators.findings import Finding
from validators.readers import FileUnreadable, Row, read_tables
from validators.readers.boundedxml import LONGEST_MARK, LONGEST_PROLOG
from validators.run import NoHistory, validate
from validators.standard import load_standard, load_standards

STANDARD = load_standard()
DECN = STANDARD.records["DECN"].header


def rows_of(data: bytes) -> list[Row]:
    [table] = read_tables(io.BytesIO(data), name="DECN.xml", standard=STANDARD)
    return list(table.rows)


def faults_of(data: bytes) -> tuple[Finding, ...]:
    try:
        return tuple(fault for row in rows_of(data) for fault in row.faults)
    except FileUnreadable as unreadable:
        return unreadable.findings


def record(text: str, *, kind: str = "DECN") -> bytes:
    return f"<CTDS><{kind}>{text}</{kind}></CTDS>".encode()


def test_each_element_is_a_record_and_keeps_its_text() -> None:
    first = "<record_id>a &amp; b</record_id><record_action><![CDATA[<N>]]></record_action>"
    data = f"<?xml version='1.0'?>\n<CTDS>\n <DECN>{first}</DECN>\n <DECN/>\n</CTDS>"
    first_row, second = rows_of(data.encode())
    assert (first_row.number, first_row.cells) == (
        1,
        {"record_id": "a & b", "record_action": "<N>"},
    )
    assert (second.number, second.cells) == (2, {})


def test_comments_instructions_and_a_byte_order_mark_say_nothing() -> None:
    data = b"\xef\xbb\xbf<!-- x --><?s t?>" + record("<!-- y --><record_id>a</record_id>")
    assert [row.cells for row in rows_of(data)] == [{"record_id": "a"}]


def test_a_return_in_xml_is_judged_as_the_same_return_in_csv() -> None:
    records = samples.children(2)
    records["CASE"][1]["sex"] = "X"
    files = {f"{kind}.xml": written(kind, rows) for kind, rows in records.items()}
    as_xml = judged(samples.built_from_files(STANDARD, files).data)
    as_csv = judged(samples.package_of(records, samples.manifest_fields(STANDARD)).data)
    assert as_xml == as_csv


def judged(data: bytes) -> set[tuple[str, str | None, str | None, str]]:
    outcome = validate(
        io.BytesIO(data),
        standards=load_standards(),
        received_on=samples.RECEIVED_ON,
        history=NoHistory(),
    )
    found = outcome.report.findings
    assert outcome.report.verdict == "accepted-in-part"
    return {(each.rule, each.record_type, each.column, each.message()) for each in found}


def written(kind: str, rows: list[dict[str, object]]) -> bytes:
    def told(row: dict[str, object]) -> Iterator[str]:
        for name, value in row.items():
            text = ";".join(value) if isinstance(value, list) else str(value)
            yield f"<{name}>{text}</{name}>"

    inside = "".join(f"<{kind}>{''.join(told(row))}</{kind}>" for row in rows)
    return f"<CTDS>{inside}</CTDS>".encode()


DEEP = "<a>" * 10_000 + "</a>" * 10_000
NESTED = "<a>" * 1_000_000
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>' + record(
    "<record_id>&b;</record_id>"
)

FAULTY: dict[str, tuple[bytes, str, int | None]] = {
    # what arrives: (bytes, a part of the clause that says so, row)
    "nothing": (b"", "not well-formed", None),
    "not XML": (b"record_id,record_action\r\n", "not well-formed", None),
    "cut short": (record("<record_id>a</record_id>")[:-8], "not well-formed", None),
    "two documents": (record("") * 2, "not well-formed", None),
    "UTF-16": (record("").decode().encode("utf-16"), "not well-formed", None),
    "UTF-16 without a mark": (record("").decode().encode("utf-16-le"), "not well-formed", None),
    "UTF-16, the other way round": (record("").decode().encode("utf-16-be"), "not well-", None),
    "Windows-1252": (
        record("<record_id>Zo\u00eb</record_id>").decode().encode("cp1252"),
        "UTF-8",
        None,
    ),
    "NUL": (record("<record_id>a\0b</record_id>"), "not well-formed", None),
    "entities that laugh": (LAUGHS, "document type", None),
    "an external entity": (
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + record("&a;"),
        "document type",
        None,
    ),
    "an external document type": (
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x">' + record(""),
        "document type",
        None,
    ),
    "a parameter entity": (
        b'<!DOCTYPE x [<!ENTITY % a "b">%a;]>' + record(""),
        "document type",
        None,
    ),
    "an entity that nobody declared": (
        record("<record_id>&x;</record_id>"),
        "not well-formed",
        None,
    ),
    "another root": (b"<records/>", "outermost element", None),
    "a namespace": (b'<CTDS xmlns="urn:x"/>', "outermost element", None),
    "another record type": (record("", kind="CASE"), "not an element DECN", 1),
    "a namespace of a prefix": (b'<CTDS xmlns:x="urn:x"/>', "attributes", None),
    "a namespace within": (b'<CTDS><DECN xmlns="urn:x"/></CTDS>', "attributes", None),
    "an encoding that is not so": (
        b"<?xml version='1.0' encoding='windows-1252'?>"
        + record("<record_id>Zo\u00eb</record_id>").decode().encode("cp1252"),
        "UTF-8",
        None,
    ),
    "attributes": (b'<CTDS><DECN record_id="a"/></CTDS>', "attributes", None),
    "10,000 levels": (record(DEEP), "inside a field", 1),
    "a million levels that never end": (record(NESTED), "inside a field", 1),
    "1,001 names": (
        b"<CTDS>" + b"".join(b"<DECN><a%d/></DECN>" % n for n in range(1100)) + b"</CTDS>",
        "more than 1,000 different names",
        None,
    ),
    "an element inside a field": (record("<record_id><b>x</b></record_id>"), "inside a field", 1),
    "text between elements": (record("x<record_id>a</record_id>"), "between elements", 1),
    "an element twice": (record("<record_id>a</record_id>" * 2), "twice", 1),
    "501 elements": (record("".join(f"<a{n}/>" for n in range(502))), "more than 500", 1),
    "an unknown element": (record("<shoe_size>4</shoe_size>"), "not part of the standard", 1),
    "a cell over the cap": (
        record(f"<record_id>{'x' * 70_000}</record_id>"),
        "longer than 65,536",
        1,
    ),
    "a text of 20 MB": (record(f"<record_id>{'x' * 20_000_000}</record_id>"), "longer than", None),
}


@pytest.mark.parametrize("case", FAULTY)
def test_faulty_xml_gets_a_finding_that_says_what_is_wrong(case: str) -> None:
    data, clause, row = FAULTY[case]
    first = faults_of(data)[0]
    assert first.rule == "CT-011"
    assert clause in first.values["detail"]
    assert row is None or first.row == row


def test_an_element_named_like_a_direct_identifier_is_refused() -> None:
    assert [each.rule for each in faults_of(record("<surname>x</surname>"))] == ["CT-012"]


def test_the_records_before_a_fault_are_read() -> None:
    good = "<DECN><record_id>a</record_id></DECN>" * 3
    [table] = read_tables(
        io.BytesIO(f"<CTDS>{good}<DECN".encode()), name="DECN.xml", standard=STANDARD
    )
    assert [next(table.rows).number for _ in range(3)] == [1, 2, 3]
    with pytest.raises(FileUnreadable):
        next(table.rows)


def test_no_record_is_held_longer_than_it_takes_to_read_it() -> None:
    one = f"<DECN><record_id>{'x' * 1000}</record_id></DECN>".encode()
    data = b"<CTDS>" + one * 20_000 + b"</CTDS>"
    [table] = read_tables(io.BytesIO(data), name="DECN.xml", standard=STANDARD)
    tracemalloc.start()
    assert sum(1 for _ in table.rows) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20


class Counted(io.BytesIO):
    """A file that knows how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


MEGABYTES = 8 << 20

ENDLESS: dict[str, tuple[bytes, str]] = {
    # what never ends: (bytes, a part of the clause that says so)
    "a comment": (b"<CTDS><!--" + b">" * MEGABYTES, "tag or comment is longer"),
    "an instruction": (b"<CTDS><?a " + b"<" * MEGABYTES, "tag or comment is longer"),
    "a name": (b"<CTDS><DECN><" + b"a" * MEGABYTES, "tag or comment is longer"),
    "an attribute": (b"<CTDS><DECN a='" + b"x" * MEGABYTES, "tag or comment is longer"),
    "attributes": (b"<CTDS><DECN " + b"a='' " * (MEGABYTES // 5), "tag or comment is longer"),
    "an end": (b"<CTDS><DECN></DECN" + b" " * MEGABYTES, "tag or comment is longer"),
    "a comment after the end": (b"<CTDS/><!--" + b"x" * MEGABYTES, "tag or comment is longer"),
    "a comment at the start": (b"<!--" + b">" * MEGABYTES, "do not reach the element CTDS"),
    "instructions at the start": (b"<?a?>" * (MEGABYTES // 5), "do not reach"),
    "an outermost element": (b"<CTDS" + b" " * MEGABYTES, "do not reach"),
    "nothing but space": (b" " * MEGABYTES, "do not reach"),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_a_mark_that_does_not_end_is_refused_before_it_is_scanned_again_and_again(
    case: str,
) -> None:
    """expat before 2.6 begins anew at each feed (CVE-2023-52425): so few feeds are the bound."""
    data, clause = ENDLESS[case]
    stream = Counted(data)
    [table] = read_tables(stream, name="DECN.xml", standard=STANDARD)
    with pytest.raises(FileUnreadable) as refused:
        list(table.rows)
    assert clause in refused.value.findings[0].values["detail"]
    assert stream.taken <= LONGEST_PROLOG + 3 * LONGEST_MARK


def test_marks_of_an_honest_length_are_read_wherever_a_chunk_ends() -> None:
    comment = f"<!--{'x' * (LONGEST_MARK - 1_000)}-->"
    inside = f"<DECN><record_id>a</record_id></DECN>{comment}" * 30
    assert len(rows_of(f"<!--{'x' * 60_000}--><CTDS>{inside}</CTDS>".encode())) == 30


def test_nothing_that_a_document_type_declares_is_expanded() -> None:
    """What a handler raises lets expat go on to the end of the piece that it was given."""
    bomb = b"".join(b"<!ENTITY e%d '%s'>" % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 30))
    data = b"<!DOCTYPE CTDS [<!ENTITY e0 'ha'>" + bomb + b"]>" + record("&e29;")
    stream = Counted(data)
    [table] = read_tables(stream, name="DECN.xml", standard=STANDARD)
    with pytest.raises(FileUnreadable, match="cannot be read on") as refused:
        list(table.rows)
    assert "document type" in refused.value.findings[0].values["detail"]
    # The first piece ends with the bracket that opens the declarations.
    assert stream.taken == 16
