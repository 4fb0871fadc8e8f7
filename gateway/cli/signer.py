"""`gateway signer`: the process that holds the log's key, and how it begins with an older log."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import click

from audit.edge import RightEdge
from audit.errors import LogDoesNotFit
from audit.keys import Signer
from audit.replay import replay
from audit.signing import SignedEdge
from gateway.cli.failures import Failure
from gateway.cli.files import read_private_text
from gateway.cli.logsources import Where, source_options
from gateway.cli.nouns import Noun
from gateway.cli.options import EXISTING, NEW_FILE
from gateway.cli.output import say
from gateway.signer import SignerServer

_key_option = click.option(
    "--key",
    "key_files",
    type=EXISTING,
    multiple=True,
    required=True,
    envvar="LOG_KEY_FILE",
    help="log.skey; several while one key hands over to the next.",
)
_memory_option = click.option(
    "--memory",
    type=NEW_FILE,
    required=True,
    envvar="LOG_MEMORY_FILE",
    help="What was signed last. Keep it: it is what notices a restored backup.",
)


@click.group(cls=Noun)
def signer() -> None:
    """Sign the log, in a process that knows no database and no network."""


@signer.command()
@_key_option
@_memory_option
@click.option(
    "--socket",
    "address",
    type=NEW_FILE,
    required=True,
    envvar="SIGNER_SOCKET",
    help="The Unix socket at which the sequencer asks.",
)
def serve(*, key_files: tuple[Path, ...], memory: Path, address: Path) -> None:
    """Sign what the sequencer adds to the log, until stopped; never a fork."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _alone(memory):
        _serve(SignedEdge(_signers(key_files), memory), address)


def _serve(edge: SignedEdge, address: Path) -> None:
    with SignerServer(address, edge) as server:
        try:
            say(f"Signing {edge.last.origin} from {edge.last.size:,} entries on, at {address}.")
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            say("Stopped.")


@signer.command()
@_key_option
@_memory_option
@source_options
def adopt(*, key_files: tuple[Path, ...], memory: Path, **where: object) -> None:
    """Begin with a log that was signed without this memory, after verifying all of it.

    Only where the memory is lost or never was: first compare the newest checkpoint with those that
    auditors and witnesses keep, as nothing here can notice that there was a later one.
    """
    edge = SignedEdge(_signers(key_files), memory)
    with Where(**where).ahead() as source:  # type: ignore[arg-type]  # click's own options
        found = replay(source, verifier=edge.keys).checkpoint
        read = RightEdge.published(source, found.size)
    if read.root() != found.root:
        raise LogDoesNotFit("the tiles of the log's right edge are not those that were verified")
    edge.adopt(read)
    say(f"Goes on from {found.size:,} entries of {found.origin}.")


@contextmanager
def _alone(memory: Path) -> Iterator[None]:
    """While no other signer can be at work: two would sign two trees."""
    with memory.with_name(f"{memory.name}.lock").open("w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise Failure(
                f"Another signer is at work with {memory}.",
                "One signs a log. Stop the other first.",
            ) from None
        yield


def _signers(files: tuple[Path, ...]) -> list[Signer]:
    return [Signer.from_skey(read_private_text(file).strip()) for file in files]
