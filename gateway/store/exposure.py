"""Which submissions a key had to do with. Reads only what an administrator may see of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateway.records import KeyUse, State
from gateway.store.tables import SubmissionRow


def uses_of_key(
    session: Session, key: str, *, signers: Sequence[str], since: datetime | None
) -> list[KeyUse]:
    """Submissions whose signer is one of these or that name this key, the oldest first."""
    query = select(
        # Named one by one: the role of administrators may read these columns and no others.
        SubmissionRow.id,
        SubmissionRow.agency_id,
        SubmissionRow.received_at,
        SubmissionRow.state,
        SubmissionRow.signer,
        SubmissionRow.signing_key,
        SubmissionRow.recipient_key,
        SubmissionRow.vault_keys,
        SubmissionRow.report_key.is_not(None),
    ).where(
        or_(
            SubmissionRow.signer.in_([key, *signers]),
            SubmissionRow.signing_key == key,
            SubmissionRow.recipient_key == key,
            SubmissionRow.vault_keys.any_() == key,
        )
    )
    if since is not None:
        query = query.where(SubmissionRow.received_at >= since)
    found = session.execute(query.order_by(SubmissionRow.received_at, SubmissionRow.id))
    return [
        KeyUse(
            submission_id=submission_id,
            agency_id=agency_id,
            received_at=received_at,
            state=State(state),
            signer=signer,
            signing_key=signing_key,
            recipient_key=recipient_key,
            vault_keys=tuple(vault_keys or ()),
            has_report=has_report,
        )
        for (
            submission_id,
            agency_id,
            received_at,
            state,
            signer,
            signing_key,
            recipient_key,
            vault_keys,
            has_report,
        ) in found
    ]
