"""The sequencer: puts entries into the log."""

from dataclasses import dataclass
from datetime import timedelta

from audit.policy import Policy
from audit.signing import TreeSigner
from gateway.flow.stamping import Stamping
from gateway.settings import Settings
from gateway.signer import RemoteSigner
from gateway.store.database import Database
from gateway.store.log import PostgresLog
from gateway.timestamps import Authorities, read_authorities
from gateway.wiring.parts import agreed_clock, database_of, log_keys, required
from gateway.witnesses import Panel


@dataclass(frozen=True, slots=True)
class SequencerServices:
    """What puts entries into the log."""

    database: Database
    log: PostgresLog
    signer: TreeSigner
    panel: Panel | None
    stamping: Stamping | None


def sequencer_services(settings: Settings) -> SequencerServices:
    """The services of the one sequencer."""
    database = database_of(settings)
    log = PostgresLog(database)
    return SequencerServices(
        database=database,
        log=log,
        signer=RemoteSigner(
            required(settings.signer_socket),
            log_keys(settings),
        ),
        panel=_panel(settings),
        stamping=_stamping(settings, database, log),
    )


def _panel(settings: Settings) -> Panel | None:
    policy = settings.witness_policy_file
    return None if policy is None else Panel(Policy.from_text(policy.read_text("utf-8")))


def _stamping(settings: Settings, database: Database, log: PostgresLog) -> Stamping | None:
    file = settings.timestamp_authorities_file
    if file is None:
        return None
    return Stamping(
        database,
        log,
        Authorities(read_authorities(file.read_text("utf-8"))),
        every=timedelta(seconds=settings.timestamp_seconds),
        clock=agreed_clock(database),
    )
