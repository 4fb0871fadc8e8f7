"""Rows held against each other in bulk: only groups that may not fit are looked at one by one.

Of a cleared row the columns that group rules look at are kept as numbers, and its ids as text. A
family of one case, one exploitation situation, or one of each is asked about as its rows are: every
family rule once for each different combination. A family of any other shape, a child with several
cases and a token that several cases have are put together from their rows, in the order in which
those were read, and go the ordinary way.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from validators.bulk.asking import Questions, Tell
from validators.bulk.columns import PatternColumn
from validators.bulk.reading import ROW
from validators.bulk.seen import ACTION, CASE_ID, WITHDRAWS, Columns, Seen, Single, ids
from validators.crossrecord import (
    FAMILY_RULES,
    AcceptedByFile,
    CrossRecord,
    TokenKey,
    looked_at,
    token_keys,
)
from validators.findings import Finding
from validators.held import Sent
from validators.package import Package
from validators.rules.attachments import Scan
from validators.rules.group import Family, GroupRule, Member, Place
from validators.rules.rule import RecordContext
from validators.rules.submission import History
from validators.rules.tokens import SHARED
from validators.rules.uniqueness import RecordIds

_ASKED_ABOUT = ("CASE", "EXPL")
_NOWHERE = Place("", 0)
_PRESENT = "#"
_LONGEST_ID = 36
"""Of a broken row nothing longer is kept: it is neither an id nor an action."""
_AT_ONCE = 1 << 16
"""Families asked about at once: each rule has a key of 64 bits for each of them."""


class BulkRecordIds(RecordIds):
    """The ids of one submission (CT-024), most of them as columns."""

    def __init__(self) -> None:
        super().__init__()
        self._places: list[str] = []
        self._frames: list[pl.DataFrame] = []

    def see_frame(self, file: str, ids: pl.DataFrame) -> None:
        """Remember the ids of rows: the columns `#row` and record_id, which holds any text."""
        self._files.setdefault(file, len(self._files))
        number = pl.lit(self._files[file], pl.UInt16).alias("#file")
        self._frames.append(ids.select(ROW, "record_id", number))

    def repeated(self) -> Iterator[tuple[str, Place]]:
        """Yield every row whose id stands elsewhere too, in the order in which they were read."""
        if self._frames:
            frames = pl.concat(self._frames)
            self._frames = []  # what they say is remembered, and their room is needed
            files = list(self._files)
            for row, record_id, file in self._suspected(frames).iter_rows():
                self.see(record_id, Place(files[file], row))
        yield from super().repeated()

    def _suspected(self, frames: pl.DataFrame) -> pl.DataFrame:
        return frames.filter(
            _shared(frames["record_id"], pl.Series(list(self._first), dtype=pl.String))
        )


class BulkCrossRecord(CrossRecord):
    """Sees every row of a package, most of them as columns."""

    def __init__(self, ctx: RecordContext, history: History, scan: Scan) -> None:
        super().__init__(ctx, history, scan)
        self._seen: dict[str, Seen] = {}

    def see_frame(
        self,
        record_type: str,
        file: str,
        columns: Columns,
        texts: pl.DataFrame,
        numbers: pl.DataFrame,
    ) -> None:
        """Remember rows that were cleared: their texts, and the number of each value."""
        seen = self._of(record_type, file)
        seen.columns = columns
        kept: dict[str, pl.Series] = {ROW: texts[ROW], ACTION: texts["record_action"]}
        for name in looked_at(record_type):
            is_id = isinstance(columns[name], PatternColumn)
            kept[name] = texts[name] if is_id else numbers[name]
        if record_type == "CASE":
            kept |= {name: _token_bits(texts[name]) for name in SHARED}
        frame = pl.DataFrame(kept)
        seen.frames.append(frame)
        if record_type == "CASE" and self._links.are_told:
            self._ask_about(seen, frame, texts)

    def see(self, record_type: str, place: Place, record: Mapping[str, Any]) -> None:
        """Remember a row whose fields are valid."""
        member = Member(place, {name: record[name] for name in looked_at(record_type)})
        keys: Sequence[TokenKey] = ()
        if record_type == "CASE" and record["record_action"] != WITHDRAWS:
            self._links.see(member, record)
            keys = token_keys(record)
        self._of(record_type, place.file).singly.append(Single(place.row, member, keys))

    def see_broken(self, record_type: str, place: Place, cells: Mapping[str, object]) -> None:
        """Remember that there is a row, though its values cannot be trusted."""
        self._doubt(record_type, cells)
        seen = self._of(record_type, place.file)
        given = ((name, cells.get(name)) for name in (seen.about, "record_action"))
        kept = {name: text for name, text in given if len(str(text)) <= _LONGEST_ID}
        seen.singly.append(Single(place.row, None, broken=kept))

    def findings(self, package: Package) -> Iterator[tuple[Place | None, Finding]]:
        """Yield what does not fit, with the row that it is about."""
        looked_into = self._cases_to_look_into()
        for seen in self._seen.values():
            asked_about = seen.record_type in _ASKED_ABOUT
            for each in seen.in_order(looked_into if asked_about else None):
                if each.member is not None:
                    self._take(seen.record_type, each.member, each.keys)
                elif each.broken is not None:
                    self._take_broken(seen.record_type, each.broken)
        self._tell_of_cases()
        yield from super().findings(package)

    def new_records(self, record_type: str, accepted: AcceptedByFile) -> Iterator[str]:
        """Yield the id of each row that is accepted as new."""
        seen = self._seen.get(record_type)
        return iter(()) if seen is None else seen.accepted_as_new(accepted[seen.file])

    def _withdrawn_cases(self, accepted: AcceptedByFile) -> Iterator[tuple[str, str]]:
        seen = self._seen.get("CASE")
        return iter(()) if seen is None else seen.returned(accepted[seen.file])

    def _sent(self, cases: Collection[str] | None = None) -> Iterator[tuple[str, Iterator[Sent]]]:
        for seen in self._seen.values():
            yield seen.record_type, seen.sent(None if cases is None else ids(cases))

    def _ask_about(self, seen: Seen, frame: pl.DataFrame, texts: pl.DataFrame) -> None:
        """Ask what other agencies know of all these cases at once."""
        columns = texts.select(pl.col("record_action") != WITHDRAWS, *SHARED)
        tokens = [
            [(name, token) for name, token in zip(SHARED, row, strict=True) if token]
            if stands
            else []
            for stands, *row in columns.iter_rows()
        ]
        self._links.ask(tokens, lambda at: seen.member(frame.row(at, named=True)))

    def _of(self, record_type: str, file: str) -> Seen:
        return self._seen.setdefault(record_type, Seen(record_type, file))

    def _cases_to_look_into(self) -> pl.Series:
        """The ids of the cases whose families are put together."""
        known = [seen.case_ids_singly() for seen in self._seen.values()]
        for kind, seen in self._seen.items():
            frame = seen.standing()
            if frame is None or seen.about not in frame.columns:
                continue
            if kind not in _ASKED_ABOUT:
                known.append(frame[seen.about])
            else:
                known.append(_repeated(frame[seen.about]))
            if kind == "CASE":
                known += _in_company(frame, seen)
        asked = pl.concat([ids(()), *known]).unique()
        return pl.concat([asked, self._objected(asked)])

    def _objected(self, apart: pl.Series) -> pl.Series:
        """The ids of the families of one case, one situation or both that a rule objects to."""
        families = self._families_but(apart)
        objected = [pl.Series([], dtype=pl.String)]
        for kinds in (("CASE",), ("EXPL",), _ASKED_ABOUT):
            has = [
                pl.col(f"{kind}.{_PRESENT}").is_not_null() == (kind in kinds)
                for kind in _ASKED_ABOUT
            ]
            rules = (partial(self._objects, rule, kinds) for rule in FAMILY_RULES)
            questions = Questions(rules, self._value)
            objected += [
                some[CASE_ID].filter(questions.objections(some))
                for some in families.filter(pl.all_horizontal(has)).iter_slices(_AT_ONCE)
            ]
        return pl.concat(objected).unique()

    def _objects(self, rule: GroupRule[Family], kinds: Sequence[str], tell: Tell) -> bool:
        family = Family()
        if "CASE" in kinds:
            family.case = Member(_NOWHERE, tell("CASE."))
        if "EXPL" in kinds:
            family.rows["EXPL"] = [Member(_NOWHERE, tell("EXPL."))]
        return any(True for _ in rule.check(family, self._ctx))

    def _value(self, column: str, number: int) -> Any:
        kind, _, name = column.partition(".")
        return self._seen[kind].value(name, number)

    def _families_but(self, apart: pl.Series) -> pl.DataFrame:
        """Families by the id of their case, with the numbers of their one case and situation."""
        case, situation = (self._numbered(kind, apart) for kind in _ASKED_ABOUT)
        if case.is_empty() or situation.is_empty():
            return pl.concat([case, situation], how="diagonal")
        return case.join(situation, on=CASE_ID, how="full", coalesce=True)

    def _numbered(self, kind: str, apart: pl.Series) -> pl.DataFrame:
        seen = self._seen.get(kind)
        frame = None if seen is None else seen.standing()
        if seen is None or frame is None:
            return pl.DataFrame(schema={CASE_ID: pl.String, f"{kind}.{_PRESENT}": pl.UInt16})
        names = looked_at(kind)
        given = [
            (pl.col(name) != "").cast(pl.UInt16) if frame[name].dtype == pl.String else pl.col(name)
            for name in names
        ]
        numbered = frame.select(
            pl.col(seen.about).alias(CASE_ID),
            pl.lit(1, pl.UInt16).alias(f"{kind}.{_PRESENT}"),
            *(each.alias(f"{kind}.{name}") for each, name in zip(given, names, strict=True)),
        )
        return numbered.join(apart.to_frame(CASE_ID), on=CASE_ID, how="anti")

    def _tell_of_cases(self) -> None:
        """Say to the rules about counts, and about rows without a case, which cases there are."""
        seen = self._seen.get("CASE")
        frame = None if seen is None else seen.standing()
        if seen is None or frame is None or frame.is_empty():
            return
        if self._held.is_known or len(self._seen) > 1:  # else nothing is held against them
            self._cases.update(frame["record_id"])
        self._activity.has_cases = True
        if "ACTV" in self._seen:
            days = (seen.value("nrm_referral_date", each) for each in frame["nrm_referral_date"])
            self._activity.referrals = [day for day in days if day is not None]
            singly = (member.record for member in seen.members())
            self._activity.referrals += [
                each["nrm_referral_date"]
                for each in singly
                if each["record_action"] != WITHDRAWS and each["nrm_referral_date"] is not None
            ]


def _in_company(cases: pl.DataFrame, seen: Seen) -> Iterator[pl.Series]:
    """The ids of cases that share their child or a token with another case."""
    persons = ids(member.record["person_ref"] for member in seen.members())
    yield cases["record_id"].filter(_shared(cases["person_ref"], persons))
    for name in SHARED:
        bits = [key for each in seen.singly for column, key in each.keys if column == name]
        given = cases.select("record_id", name).drop_nulls(name)
        yield given["record_id"].filter(_shared(given[name], pl.Series(bits, dtype=pl.UInt64)))


def _shared(here: pl.Series, elsewhere: pl.Series) -> pl.Series:
    """Which of these stand twice here, or elsewhere too; by chance one more may be said to."""
    hashes = here.hash()
    # Sorting takes a fourth of what a table of them takes, and there are seldom any.
    both = pl.concat([hashes, elsewhere.hash()]).sort()
    twice = both.filter(both == both.shift())
    return hashes.is_in(twice.implode())


def _repeated(ids: pl.Series) -> pl.Series:
    return ids.filter(_shared(ids, ids.head(0))).alias(CASE_ID)


def _token_bits(tokens: pl.Series) -> pl.Series:
    """The first 64 bits of each token; null where there is none."""
    given = pl.when(pl.lit(tokens) != "").then(pl.lit(tokens).str.head(16))
    return pl.select(given.str.to_integer(base=16, dtype=pl.UInt64)).to_series()
