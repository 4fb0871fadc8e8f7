"""Record rules of MISS: CT-067 and CT-070 to CT-072 (CTDS section 8)."""

from collections.abc import Iterator

from validators.rules.rule import SENTINELS, Record, RecordContext, Rule, Violation, violation

_OPEN = frozenset({"STILL_MISSING", "TURNED18_MISSING"}) | SENTINELS
_AFTER_RETURN = ("return_interview", "found_in_exploitation", "outcome")
_LONG_DAYS = 28


def starts_before_it_ends(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-067: start_date is not after end_date."""
    start, end = record.get("start_date"), record.get("end_date")
    if start is not None and end is not None and start > end:
        yield violation("end_date")


def outcome_fits_end(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-070: an episode that has ended says how; one that has not says nothing else than that."""
    outcome = record.get("outcome")
    if record.get("end_date") is None:
        if outcome is not None and outcome not in _OPEN:
            yield violation("outcome", state="not ended")
        return
    for column in _AFTER_RETURN:
        if record.get(column) is None:
            yield violation(column, state="ended")
    if outcome == "STILL_MISSING":
        yield violation("outcome", state="ended")


def police_told_at_once(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-071: the police are told on the day the episode starts or the day after."""
    start, told = record.get("start_date"), record.get("reported_to_police_date")
    days = 0 if start is None or told is None else (told - start).days
    if days < 0:
        yield violation("reported_to_police_date", detail="this is before the episode starts")
    elif days > 1:
        yield violation("reported_to_police_date", n=days)


def long_episode_has_outcome(record: Record, ctx: RecordContext) -> Iterator[Violation]:
    """CT-072: after 28 days, counted to the end of the period, an outcome is given."""
    start, outcome = record.get("start_date"), record.get("outcome")
    if record.get("missing_type") != "M" or start is None or outcome is not None:
        return
    days = ((record.get("end_date") or ctx.manifest.period_end) - start).days
    if days > _LONG_DAYS:
        yield violation("outcome", n=days)


_MISS = frozenset({"MISS"})

RULES = (
    Rule("CT-067", _MISS, starts_before_it_ends),
    Rule("CT-070", _MISS, outcome_fits_end),
    Rule("CT-071", _MISS, police_told_at_once),
    Rule("CT-072", _MISS, long_episode_has_outcome),
)
