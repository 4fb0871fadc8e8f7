"""An SSDA903 return becomes records about the children of the agency's list, and nobody else."""

import pytest

from tests.validators.converting.exports import (
    EPISODE,
    HEADER,
    LISTED,
    LOCAL_ID,
    MISSING,
    STANDARD,
    Rows,
    judged,
    sender,
    ssda903,
    table,
    whole_903,
)
from validators.converting.made import Conversion
from validators.converting.problems import SourceUnfit
from validators.linkage import Identity, day, linkage_fields, person_ref
from validators.templates import as_csv, as_xlsx, plan


def problems(files: dict[str, bytes], listed: Rows = (LISTED,)) -> list[str]:
    with pytest.raises(SourceUnfit) as refused:
        ssda903(files, listed)
    return [each.sentence() for each in refused.value.problems.kept]


def care(made: Conversion, spell_type: str) -> list[tuple[str, ...]]:
    columns = ("care_status", "placement_type", "start_date", "end_date")
    rows = [row for row in made.records["CARE"] if row["spell_type"] == spell_type]
    spells = [tuple(row.get(name, "") for name in columns) for row in rows]
    return sorted(spells, key=lambda spell: spell[2])


def episodes(*changed: dict[str, str]) -> bytes:
    return table([EPISODE | each for each in changed])


def test_the_gateway_accepts_what_comes_out() -> None:
    report = judged(ssda903(whole_903()))
    errors = [each.message() for each in report.findings if each.severity == "error"]
    assert (report.verdict, errors) == ("accepted", [])
    kinds = {file.record_type: file.rows for file in report.files}
    assert kinds == {"CASE": 1, "EXPL": 1, "CARE": 2, "MISS": 1}


def test_what_the_return_and_the_list_say_of_a_child() -> None:
    (case,) = ssda903(whole_903()).records["CASE"]
    tokens = linkage_fields(
        Identity(
            "V\u0103n \u0110\u1ee9c", "Nguy\u1ec5n", day("2009-03-07"), "M", "", HEADER["UPN"]
        ),
        key=sender().key,
    )
    said = {
        **tokens,
        "person_ref": person_ref(LOCAL_ID, salt=sender().salt),
        "link_scheme": "CTL1-2026",
        "link_absent_reason": "",
        "birth_year_month": "2009-03",
        "age_at_referral": "16",
        "sex": "M",
        "ethnicity": "AOTH",
        "uasc": "YES",
        "nationality_1": "VNM",
        "identification_date": "2026-01-08",
        "identifying_agency_type": "LA",
        "referral_la": "E08000035",
        "referral_nation": "E92000001",
        "safeguarding_response": "LAC",
        "nrm_referred": "UNK",
        "age_dispute_status": "NCL",
    }
    assert {name: case[name] for name in said} == said


def test_what_nobody_knows_is_listed_to_be_added() -> None:
    made = ssda903(whole_903())
    open_ = {(each.record_type, each.column, each.value) for each in made.additions}
    assert ("CASE", "age_dispute_status", "NCL") in open_
    assert ("EXPL", "exploitation_type", "UNK") in open_
    assert ("CARE", "placed_in_hotel", "NCL") in open_
    assert ("MISS", "return_interview", "UNK") in open_
    assert not {column for _, column, _ in open_} & {"sex", "nationality_1", "start_date", "uasc"}


def test_what_the_list_adds_is_taken_and_no_longer_asked_for() -> None:
    listed = LISTED | {"exploitation_type": "CRIM", "county_lines": "NO", "disability": "LD;AUT"}
    made = ssda903(whole_903(), [listed])
    (case,), (expl,) = made.records["CASE"], made.records["EXPL"]
    assert (case["disability"], expl["exploitation_type"], expl["county_lines"]) == (
        "LD;AUT",
        "CRIM",
        "NO",
    )
    assert "county_lines" not in {each.column for each in made.additions}


def test_children_who_are_not_on_the_list_are_in_nothing() -> None:
    other = {"CHILD": "MOSAIC-2"}
    made = ssda903(
        {
            "Header.csv": table([HEADER, HEADER | other | {"DOB": "broken"}]),
            "Episodes.csv": table([EPISODE, EPISODE | other | {"DECOM": "broken"}]),
        }
    )
    assert len(made.records["CASE"]) == 1


def test_without_a_uasc_file_nobody_is_said_to_be_none() -> None:
    files = whole_903()
    del files["UASC.csv"]
    assert ssda903(files).records["CASE"][0]["uasc"] == "NCL"
    none = table([{"CHILD": "MOSAIC-2", "SEX": "1", "DOB": "01/01/2010", "DUC": ""}])
    assert ssda903(files | {"UASC.csv": none}).records["CASE"][0]["uasc"] == "NO"


def test_one_legal_status_is_one_spell_however_often_the_child_is_moved() -> None:
    made = ssda903(
        whole_903(
            Episodes=episodes(
                {"DECOM": "01/03/2026", "RNE": "L", "LS": "C1", "PLACE": "K2"},
                {"DEC": "20/01/2026"},
                {"DECOM": "20/01/2026", "RNE": "P", "PLACE": "K2", "DEC": "01/03/2026"},
            )
        )
    )
    assert care(made, "LEGAL_STATUS") == [
        ("V2", "", "2026-01-09", "2026-03-01"),
        ("C1", "", "2026-03-01", ""),
    ]
    assert care(made, "PLACEMENT") == [
        ("", "FOSTER", "2026-01-09", "2026-01-20"),
        ("", "RES", "2026-01-20", ""),
    ]
    assert judged(made).verdict == "accepted"


def test_a_move_between_two_homes_of_one_kind_is_told() -> None:
    moved = episodes({"DEC": "20/01/2026"}, {"DECOM": "20/01/2026", "RNE": "P"})
    assert len(care(ssda903(whole_903(Episodes=moved)), "PLACEMENT")) == 2


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("U1", "FOSTER"),
        ("K1", "SECURE"),
        ("R5", "SECURE"),
        ("K2", "RES"),
        ("H5", "SUPPORTED"),
        ("P1", "PARENTS"),
        ("P2", "INDEP"),
        ("Z1", "OTHER"),
        ("T0", "OTHER"),
    ],
)
def test_placements_are_grouped_as_section_9_3_has_it(code: str, group: str) -> None:
    made = ssda903(whole_903(Episodes=episodes({"PLACE": code})))
    assert care(made, "PLACEMENT")[0][1] == group


def test_where_the_placement_lies_is_told_if_the_export_says() -> None:
    out = table([EPISODE | {"PL_LOCATION": "OUT"}])
    rows = ssda903(whole_903(Episodes=out)).records["CARE"]
    assert sorted(row.get("placed_out_of_area", "") for row in rows) == ["", "YES"]


def test_only_what_touched_the_quarter_is_sent() -> None:
    old = {"DECOM": "01/02/2025", "DEC": "01/06/2025", "RNE": "S"}
    later = {"MIS_START": "02/04/2026", "MIS_END": ""}
    made = ssda903(whole_903(Episodes=episodes(old, {}), Missing=table([MISSING, MISSING | later])))
    assert len(made.records["CARE"]) == 2
    assert len(made.records["MISS"]) == 1


def test_what_was_sent_may_be_a_workbook_or_withdrawn_since() -> None:
    sent = ssda903(whole_903())
    book = {kind: [dict(row) for row in rows] for kind, rows in sent.records.items()}
    workbook = as_xlsx(plan(STANDARD, sorted(book), fresh_ids=[], rows=book))
    assert ssda903(whole_903(), sent={"leeds.xlsx": workbook}).files(STANDARD) == {}
    gone = [{**row, "record_action": "DELETE"} for row in book["MISS"]]
    files = sent.files(STANDARD) | {"MISS.csv": as_csv(STANDARD.records["MISS"], gone)}
    made = ssda903(whole_903(), sent=files | {"notes.txt": b"none of these"})
    assert {kind: len(rows) for kind, rows in made.records.items() if rows} == {"MISS": 1}


def test_what_was_written_down_late_or_ended_since_is_sent_in_a_later_quarter() -> None:
    sent = ssda903(whole_903()).files(STANDARD)
    late = table([MISSING, MISSING | {"MIS_START": "01/03/2026", "MIS_END": "02/03/2026"}])
    ended = episodes({"DEC": "20/03/2026"})
    files = whole_903(Missing=late, Episodes=ended)
    made = ssda903(files, by=sender("2026Q2"), sent=sent)
    actions = {kind: [row["record_action"] for row in rows] for kind, rows in made.records.items()}
    assert actions == {"CASE": [], "EXPL": [], "CARE": ["AMEND", "AMEND"], "MISS": ["NEW"]}


def test_missing_days_after_the_last_arrival_and_what_is_still_open() -> None:
    (missing,) = ssda903(whole_903()).records["MISS"]
    assert missing["days_since_arrival_in_care"] == "11"
    assert (missing["end_date"], missing["outcome"]) == ("2026-01-22", "UNK")
    still = table([MISSING | {"MIS_END": ""}])
    made = ssda903(whole_903(Missing=still))
    assert made.records["MISS"][0]["outcome"] == "STILL_MISSING"
    assert judged(made).verdict == "accepted"


def test_missing_episodes_of_who_is_nearly_grown_up_are_passed_over_and_counted() -> None:
    made = ssda903(whole_903(Header=table([HEADER | {"DOB": "25/01/2008"}])))
    assert "MISS" not in made.records
    assert made.notes[-1] == "Missing episodes from the month of the 18th birthday on (CT-069): 1"
    assert judged(made).verdict == "accepted"


def test_episodes_that_meet_on_a_day_are_spells_of_their_own() -> None:
    episodes = [
        EPISODE | {"DEC": "20/01/2026"},
        EPISODE | {"DECOM": "20/01/2026", "RNE": "P", "PLACE": "K2", "DEC": "01/02/2026"},
        EPISODE | {"DECOM": "05/03/2026"},
    ]
    made = ssda903(whole_903(Episodes=table(episodes)))
    assert len(made.records["CARE"]) == 5
    assert judged(made).verdict == "accepted"


def test_ids_are_the_same_in_every_quarter_and_under_no_other_salt() -> None:
    first = ssda903(whole_903()).records
    again = ssda903(whole_903(), by=sender("2026Q2")).records
    other = ssda903(whole_903(), by=sender(salt=bytes([1]) * 32)).records
    for kind, rows in first.items():
        ids = {row["record_id"] for row in rows}
        assert ids >= {row["record_id"] for row in again.get(kind, [])}
        assert not ids & {row["record_id"] for row in other[kind]}
        assert all(row.get("case_id", first["CASE"][0]["record_id"]) for row in rows)


def test_the_order_of_the_export_is_not_that_of_the_records() -> None:
    numbers = [f"MOSAIC-{number}" for number in range(20)]
    header = [HEADER | {"CHILD": each, "UPN": ""} for each in numbers]
    listed = [LISTED | {"CHILD": each} for each in numbers]
    one = ssda903({"Header.csv": table(header)}, listed)
    other = ssda903({"Header.csv": table(header[::-1])}, listed[::-1])
    assert one.records == other.records
    ids = [row["record_id"] for row in one.records["CASE"]]
    assert ids == sorted(ids)


def test_a_record_is_new_once_amended_when_it_changed_and_else_left_out() -> None:
    sent = ssda903(whole_903()).files(STANDARD)
    same = ssda903(whole_903(), sent=sent)
    assert same.files(STANDARD) == {}
    assert "Records that stand as they were sent: 5" in same.notes
    changed = ssda903(whole_903(Episodes=episodes({"DEC": "01/03/2026"})), sent=sent)
    assert {kind: len(rows) for kind, rows in changed.records.items() if rows} == {"CARE": 2}
    assert {row["record_action"] for row in changed.records["CARE"]} == {"AMEND"}


def test_what_a_person_added_by_hand_stays() -> None:
    sent = ssda903(whole_903()).files(STANDARD)
    header, row = (line.split(",") for line in sent["CASE.csv"].decode("utf-8-sig").splitlines())
    row[header.index("identification_route")] = "POLICE_OP"
    row[header.index("immigration_status")] = "ASY_PENDING"
    by_hand = sent | {"CASE.csv": "\r\n".join([",".join(header), ",".join(row), ""]).encode()}
    assert ssda903(whole_903(), sent=by_hand).records["CASE"] == []
    next_year = ssda903(whole_903(), by=sender("2026Q2", "CTL1-2027"), sent=by_hand)
    (amended,) = next_year.records["CASE"]
    assert amended["record_action"] == "AMEND"
    assert (amended["identification_route"], amended["link_scheme"]) == ("POLICE_OP", "CTL1-2027")


def test_a_child_without_names_has_the_token_of_its_pupil_number() -> None:
    nameless = {name: LISTED[name] for name in ("CHILD", "identification_date")}
    (case,) = ssda903(whole_903(), [nameless]).records["CASE"]
    assert (bool(case["lt_upn"]), case["lt_name_dob"]) == (True, "")
    none = whole_903(Header=table([HEADER | {"UPN": "UN3"}]))
    made = ssda903(none, [nameless])
    (case,) = made.records["CASE"]
    assert (case["link_scheme"], case["link_absent_reason"]) == ("NONE", "NO_TOOL")
    assert "Cases without a linkage token: 1" in made.notes
    assert judged(made).verdict == "accepted"


def test_who_is_grown_up_or_identified_later_is_passed_over_and_counted() -> None:
    later = ssda903(whole_903(), [LISTED | {"identification_date": "2026-04-02"}])
    assert later.notes[-1] == "Children identified after the quarter: 1"
    adult = ssda903(whole_903(Header=table([HEADER | {"DOB": "07/03/2007"}])))
    assert "CT-031" in adult.notes[-1]
    assert later.files(STANDARD) == adult.files(STANDARD) == {}
    exploited = LISTED | {"age_at_exploitation_start": "16"}
    grown = ssda903(whole_903(Header=table([HEADER | {"DOB": "07/03/2007"}])), [exploited])
    assert grown.records["CASE"][0]["age_at_referral"] == "18"


@pytest.mark.parametrize(
    ("files", "listed", "said"),
    [
        ({"Header": [HEADER | {"SEX": "boy"}]}, {}, "Header.csv, row 2, SEX"),
        ({"Header": [HEADER | {"DOB": "March"}]}, {}, "Header.csv, row 2, DOB"),
        ({"Header": [HEADER | {"DOB": "31/02/2009"}]}, {}, "Header.csv, row 2, DOB"),
        ({"Header": [HEADER | {"DOB": "07/03/2026"}]}, {}, "Header.csv, row 2: the child was born"),
        ({"Header": [HEADER | {"ETHNIC": "Kinh"}]}, {}, "Header.csv, row 2, ETHNIC"),
        ({"Header": [HEADER, HEADER | {"SEX": "2"}]}, {}, "Header.csv, row 3, CHILD"),
        ({"Header": [HEADER | {"CHILD": "X"}]}, {}, "children.csv, row 2, CHILD"),
        ({"Episodes": [EPISODE | {"LS": "Q9"}]}, {}, "Episodes.csv, row 2, LS"),
        ({"Episodes": [EPISODE | {"LS": ""}]}, {}, "Episodes.csv, row 2, LS"),
        ({"Episodes": [EPISODE | {"PLACE": "home"}]}, {}, "Episodes.csv, row 2, PLACE"),
        ({"Episodes": [EPISODE | {"DECOM": "1/2/26"}]}, {}, "Episodes.csv, row 2, DECOM"),
        ({"Episodes": [EPISODE | {"DEC": "soon"}]}, {}, "Episodes.csv, row 2, DEC"),
        ({"Missing": [MISSING | {"MISSING": "Y"}]}, {}, "Missing.csv, row 2, MISSING"),
        ({"Missing": [MISSING, MISSING | {"MIS_START": "21/01/2026"}]}, {}, "Missing.csv, row 3"),
        ({"Missing": [MISSING | {"MIS_END": "19/01/2026"}]}, {}, "Missing.csv, row 2, MIS_END"),
        ({"Episodes": [EPISODE | {"DEC": "08/01/2026"}]}, {}, "Episodes.csv, row 2, DEC:"),
        ({"Episodes": [EPISODE, EPISODE]}, {}, "Episodes.csv, row 3, DECOM"),
        (
            {"Episodes": [EPISODE | {"DEC": "09/01/2026"}, EPISODE | {"LS": "L1"}]},
            {},
            "Episodes.csv, row 3, DECOM",
        ),
        (
            {
                "Episodes": [
                    EPISODE | {"DEC": "20/02/2026"},
                    EPISODE | {"DECOM": "10/02/2026", "DEC": "11/02/2026", "PLACE": "K2"},
                    EPISODE | {"DECOM": "12/02/2026", "PLACE": "R5"},
                ]
            },
            {},
            "Episodes.csv, row 3, DECOM: the one in row 2",
        ),
        ({"Missing": [MISSING, MISSING]}, {}, "Missing.csv, row 3, MIS_START"),
        ({}, {"identification_date": ""}, "Header.csv, row 2, identification_date"),
        ({}, {"identification_date": "lately"}, "children.csv, row 2, identification_date"),
        ({}, {"CHILD": ""}, "children.csv, row 2, CHILD"),
        ({}, {"nationality_1": "Nguyen"}, "children.csv, row 2, nationality_1"),
        ({}, {"surname": "\u0418\u0432\u0430\u043d\u043e\u0432"}, "children.csv, row 2, forename"),
    ],
)
def test_what_cannot_be_used_is_named_by_place_and_not_shown(
    files: dict[str, Rows], listed: dict[str, str], said: str
) -> None:
    given = whole_903(**{name: table(rows) for name, rows in files.items()})
    found = problems(given, [LISTED | listed])
    assert any(each.startswith(said) for each in found), found
    changed = [value for value in listed.values() if value]
    assert not any(value in each for value in changed for each in found)


def test_files_are_told_by_their_columns_and_each_is_given_once() -> None:
    files = whole_903()
    reviews = table([{"CHILD": LOCAL_ID, "DOB": "07/03/2009", "REVIEW": "01/02/2026"}])
    renamed = {f"{number}.csv": content for number, content in enumerate(files.values())}
    made = ssda903(renamed | {"reviews.csv": reviews})
    assert made.records == ssda903(files).records
    assert "reviews.csv is not needed" in made.notes
    assert problems(files | {"Header 2.csv": files["Header.csv"]})[0].startswith("Header 2.csv: ")
    del files["Header.csv"]
    assert problems(files)[0].startswith("Header: ")


def test_columns_of_the_list_that_are_not_the_standards_are_named_and_not_read() -> None:
    made = ssda903(whole_903())
    assert "Not read, as nothing comes of them: notes (children.csv)" in made.notes


def test_a_list_cannot_set_what_is_made() -> None:
    made = ssda903(whole_903(), [LISTED | {"record_id": "x", "lt_upn": "y", "person_ref": "z"}])
    assert made.records == ssda903(whole_903()).records
