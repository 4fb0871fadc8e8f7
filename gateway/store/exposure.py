"""What a key had to do with, read from what an administrator may see and nothing else."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ARRAY, Text, literal, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import SQLCoreOperations

from gateway.records import KeyUse
from gateway.store.tables import DryRunRow, SubmissionRow

# A dry run is sealed to no key.
_NO_KEYS: SQLCoreOperations[Any] = literal([], ARRAY(Text))


def uses_of_key(
    session: Session, key: str, *, signers: Sequence[str], since: datetime | None
) -> list[KeyUse]:
    """What one of these signed, or what names this key, the oldest first."""
    uses = partial(_uses, session, key, signers=signers, since=since)
    found = uses("submission", SubmissionRow, vault_keys=SubmissionRow.vault_keys)
    found += uses("dry-run", DryRunRow, vault_keys=_NO_KEYS)
    return sorted(found, key=lambda use: (use.received_at, use.id))


def _uses(
    session: Session,
    key: str,
    kind: str,
    row: type[SubmissionRow] | type[DryRunRow],
    *,
    vault_keys: SQLCoreOperations[Any],
    signers: Sequence[str],
    since: datetime | None,
) -> list[KeyUse]:
    query = select(
        # Named one by one: the role of administrators may read these columns and no others.
        row.id,
        row.agency_id,
        row.received_at,
        row.state,
        row.signer,
        row.signing_key,
        row.recipient_key,
        vault_keys,
        row.report_key.is_not(None),
    ).where(
        or_(
            row.signer.in_([key, *signers]),
            row.signing_key == key,
            row.recipient_key == key,
            vault_keys.any_() == key,
        )
    )
    if since is not None:
        query = query.where(row.received_at >= since)
    return [
        KeyUse(
            id=upload,
            kind=kind,
            agency_id=agency_id,
            received_at=received_at,
            state=state,
            signer=signer,
            signing_key=signing_key,
            recipient_key=recipient_key,
            vault_keys=tuple(sealed_to or ()),
            has_report=has_report,
        )
        for (
            upload,
            agency_id,
            received_at,
            state,
            signer,
            signing_key,
            recipient_key,
            sealed_to,
            has_report,
        ) in session.execute(query)
    ]
