"""Where a log is read from: the gateway, a mirror of static files, or a folder.

A mirror is any address under which the layout of C2SP tlog-tiles is served. It may be plain HTTP
and anybody's: only paths are sent to it, and nothing that it answers is believed unverified.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
import requests

from audit.ahead import AheadSource, KeptSource, replay_order
from audit.checkpoint import claimed_checkpoint
from audit.errors import TileMissing, TileRefused
from audit.keyring import LogKeys
from audit.keys import Verifier
from audit.noteform import MAX_NOTE_BYTES
from audit.policy import Policy
from audit.tilepath import CHECKPOINT_PATH, TilePath
from audit.tiles import MAX_BUNDLE_BYTES, FolderSource, TileSource
from gateway.cli.failures import USAGE, Failure
from gateway.cli.files import read_text
from gateway.cli.options import EXISTING, FOLDER, client_options, open_client
from gateway.client import TIMEOUT, GatewayClient, Refused, Unreachable

F = TypeVar("F", bound=Callable[..., Any])
TRIES = 4
READERS = 8
"""How many files are asked for at once. More would look like an attack to a small server."""

log_key_option = click.option(
    "--log-key",
    required=True,
    help="The log's verifier key, or a file with it and any handovers to later keys.",
)


witnesses_option = click.option(
    "--witnesses",
    type=EXISTING,
    help="A policy of witnesses: enough of them must have cosigned the checkpoint.",
)


def read_policy(file: Path | None) -> Policy | None:
    """The policy in a file; raises PolicyRefused or KeyRefused."""
    return None if file is None else Policy.from_text(read_text(file))


def witnessed(policy: Policy | None, note: bytes) -> str:
    """Who has cosigned, for people; raises NoteUntrusted where they are too few."""
    if policy is None:
        return "not asked; give a policy with --witnesses"
    seen = policy.require(note)
    return ", ".join(f"{each.name} at {each.at.isoformat()}" for each in seen) or "nobody"


def source_options(function: F) -> F:
    """--folder and --mirror, in place of --url and --token-file."""
    folder = click.option("--folder", type=FOLDER, help="A log in a folder, not the gateway's.")
    mirror = click.option("--mirror", help="A log under an http(s):// address of static files.")
    return folder(mirror(client_options(function)))


@dataclass(frozen=True, slots=True)
class Where:
    """What the options say; the three exclude each other."""

    folder: Path | None = None
    mirror: str | None = None
    url: str | None = None
    token_file: Path | None = None

    def open(self) -> TileSource:
        """A source that reads the newest checkpoint once and is held to it."""
        if self.folder is not None and self.mirror is not None:
            raise click.UsageError("Name one of --folder and --mirror.")
        if self.folder is not None:
            return FolderSource(self.folder)
        if self.mirror is not None:
            return MirrorSource(self.mirror)
        # Options and environment are read here: other threads have no command of their own.
        return GatewaySource(open_client(self.url, self.token_file))

    @contextmanager
    def ahead(self, *, cache: Path | None = None, after: int = 0) -> Iterator[TileSource]:
        """The same, reading ahead where a network is in between."""
        source = self.open()
        if self.folder is not None:
            yield source
            return
        if cache is not None:
            source = KeptSource(source, cache)
        size = claimed_checkpoint(source.read(CHECKPOINT_PATH)).size
        pool = ThreadPoolExecutor(READERS)
        try:
            yield AheadSource(source, pool, replay_order(size, after=after))
        finally:
            pool.shutdown(cancel_futures=True)


class GatewaySource:
    """The log as the gateway publishes it; each thread has a connection of its own."""

    def __init__(self, client: GatewayClient) -> None:
        self._first = client
        self._local = threading.local()
        self._head: bytes | None = None

    def read(self, path: str) -> bytes:
        """A checkpoint, tile or bundle; raises TileMissing."""
        if path == CHECKPOINT_PATH:
            if self._head is None:
                self._head = self._client().data("/v1/log/checkpoint")
            return self._head
        try:
            return self._client().data(f"/v1/log/{path}")
        except Refused as refused:
            if refused.status != 404:
                raise
            raise TileMissing(path) from refused

    def _client(self) -> GatewayClient:
        if not hasattr(self._local, "client"):
            self._local.client = self._first.another()
        client: GatewayClient = self._local.client
        return client


class MirrorSource:
    """A log under an address of static files, from whoever serves it."""

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise click.UsageError("A mirror has an http:// or https:// address.")
        self._url = url.rstrip("/")
        self._local = threading.local()
        self._head: bytes | None = None

    def read(self, path: str) -> bytes:
        """One file; raises TileMissing, TileRefused where it is too large, or Unreachable."""
        if path != CHECKPOINT_PATH:
            return self._get(str(TilePath.parse(path)), MAX_BUNDLE_BYTES)
        if self._head is None:
            self._head = self._get(path, MAX_NOTE_BYTES)
        return self._head

    def _get(self, path: str, limit: int) -> bytes:
        for attempt in range(1, TRIES + 1):
            try:
                return self._once(path, limit)
            except requests.RequestException as error:
                if attempt == TRIES:
                    raise Unreachable(self._url, type(error).__name__) from error
        raise AssertionError("the last try returns or raises")

    def _once(self, path: str, limit: int) -> bytes:
        session = self._session()
        address = f"{self._url}/{path}"
        # A redirect could lead into the reader's own network.
        with session.get(address, timeout=TIMEOUT, stream=True, allow_redirects=False) as answer:
            if answer.status_code in (404, 410):
                raise TileMissing(path)
            if answer.status_code != 200:
                raise requests.HTTPError(f"status {answer.status_code}")
            data = bytearray()
            for block in answer.iter_content(1 << 16):
                data += block
                if len(data) > limit:
                    raise TileRefused(f"{path} is larger than it can be")
            return bytes(data)

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        session: requests.Session = self._local.session
        return session


def read_log_keys(log_key: str) -> LogKeys:
    """The log's keys, given as text or as a file; raises an error of `audit.keyring`."""
    path = Path(log_key)
    if path.is_file():
        return LogKeys.from_text(read_text(path))
    if "+" not in log_key:
        raise Failure(
            f"{log_key} is neither a file nor a log's verifier key.",
            "Get the key from the gateway (/v1/log/key), and compare it with the one in the "
            "enrolment letter.",
            status=USAGE,
        )
    return LogKeys((Verifier.from_vkey(log_key.strip()),))
