"""One running gateway, and what it can be broken by: its processes, servers, clocks and disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import paramiko

from gateway.embedded import EmbeddedServers
from gateway.flow.sshkeys import PublicKey
from gateway.records import Role
from tests.chaos.clocks import Clocks
from tests.chaos.doors import Doors
from tests.chaos.faultystore import FaultyStore
from tests.chaos.smalldisk import SmallDisk
from tests.gateway.processes import Processes
from tests.gateway.sftp.conftest import make_ssh_key
from tests.gateway.stand import ADMINISTRATOR, POLICE, Sender, Stand, development, make_keys

VALID = timedelta(days=7)
"""Longer than any clock jumps: what is refused then is refused wrongly."""


@dataclass(frozen=True, slots=True)
class Site:
    """What experiments are done to."""

    servers: EmbeddedServers
    stand: Stand
    processes: Processes
    store: FaultyStore
    clocks: Clocks
    disk: SmallDisk
    doors: Doors


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """A gateway of every process, two workers among them; it ends with the block."""
    keys, logs, spool = folder / "keys", folder / "logs", folder / "spool"
    for each in (keys, logs, spool):
        each.mkdir(parents=True)
    with (
        EmbeddedServers(folder / "servers") as servers,
        FaultyStore(servers.objects.endpoint_url) as store,
        SmallDisk.at(spool) as disk,
    ):
        made = make_keys(keys)
        environ = development(servers.environ(), made, bucket_prefix="chaos")
        # The stand is the counter's: it sees the object store as it is.
        stand = Stand(environ, made)
        clocks = Clocks(folder)
        faulty = {**environ, "S3_ENDPOINT_URL": store.url, "SFTP_SPOOL_FOLDER": str(spool)}
        with Processes(faulty, logs, sftp=True, workers=2, own_environ=clocks.environ) as processes:
            doors = _doors(stand, processes, folder)
            yield Site(servers, stand, processes, store, clocks, disk, doors)
        stand.close()


def _doors(stand: Stand, processes: Processes, folder: Path) -> Doors:
    stranger = stand.sender(POLICE)
    token = stand.token(Role.SUBMITTER, agency_id=POLICE, valid_for=VALID)
    sender = Sender(
        stranger.agency_id, stranger.keyring, token, stranger.gateway, stranger.standard
    )
    return Doors(sender, _enrolled_key(stand, folder), processes.port, processes.sftp_port)


def _enrolled_key(stand: Stand, folder: Path) -> paramiko.PKey:
    path = make_ssh_key(folder / "sender")
    stand.admin.ssh_keys.enrol(
        PublicKey.parse(path.with_suffix(".pub").read_text()),
        agency_id=POLICE,
        subject="upload",
        valid_for=VALID,
        by=ADMINISTRATOR,
    )
    return paramiko.Ed25519Key.from_private_key_file(str(path))
