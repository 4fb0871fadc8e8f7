"""A gateway's settings, on servers and with keys of its own, for benchmarks that need them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.embedded import EmbeddedServers
from tests.gateway.stand import Stand, development, make_keys


@contextmanager
def standing(folder: Path) -> Iterator[Stand]:
    """PostgreSQL, SeaweedFS and a gateway on them; nothing runs but the servers."""
    keys_folder = folder / "keys"
    keys_folder.mkdir()
    keys = make_keys(keys_folder)
    with EmbeddedServers(folder / "servers") as servers:
        stand = Stand(development(servers.environ(), keys, bucket_prefix="bench"), keys)
        try:
            yield stand
        finally:
            stand.close()
