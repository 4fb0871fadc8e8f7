"""One table of legal moves: what is not in it does not happen."""

from datetime import UTC, datetime
from itertools import product

import pytest
from sqlalchemy import text

from gateway.errors import Conflict
from gateway.records import MOVES, SETTLED, State
from gateway.store.submissions import lock_submission, move
from tests.gateway.stand import POLICE, Stand

ILLEGAL = [(here, there) for here, there in product(State, State) if there not in MOVES[here]]
LEGAL = [(here, there) for here in State for there in sorted(MOVES[here])]


def try_to(stand: Stand, here: State, there: State) -> State:
    sender = stand.sender(POLICE)
    submission = stand.send(sender, sender.message(1))
    with stand.database.transaction() as session:
        session.execute(
            text("UPDATE submission SET state = :state WHERE id = :id"),
            {"state": here, "id": submission},
        )
    with stand.database.transaction() as session:
        event_id = stand.services.intake._trail.new_event_id()
        locked = lock_submission(session, submission)
        moved = move(session, locked, there, event_id=event_id, now=datetime.now(UTC))
        assert (moved.settled_at is not None) == (there in SETTLED)
    return stand.state(submission)


@pytest.mark.parametrize(("here", "there"), ILLEGAL, ids=str)
def test_an_illegal_move_is_refused(stand: Stand, here: State, there: State) -> None:
    with pytest.raises(Conflict) as refused:
        try_to(stand, here, there)
    assert refused.value.code == "illegal-move"


@pytest.mark.parametrize(("here", "there"), LEGAL, ids=str)
def test_a_legal_move_happens(stand: Stand, here: State, there: State) -> None:
    assert try_to(stand, here, there) is there


def test_every_state_can_be_reached_and_ends_somewhere() -> None:
    reached = {State.RECEIVED} | {there for targets in MOVES.values() for there in targets}
    assert reached == set(State)
    assert [state for state in State if not MOVES[state]] == [State.DESTROYED]
