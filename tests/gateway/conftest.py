"""One gateway a module, on the session's real servers."""

from collections.abc import Iterator

import pytest

from gateway.embedded import EmbeddedServers
from tests.gateway.stand import Keys, Stand, make_keys


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The keys of all gateways of the session."""
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def environ(
    servers: EmbeddedServers, database_url: str, bucket_prefix: str, keys: Keys
) -> dict[str, str]:
    """The settings of one gateway."""
    return {
        **servers.environ(),
        **keys.environ(),
        "DATABASE_URL": database_url,
        "S3_BUCKET_PREFIX": bucket_prefix,
        "GATEWAY_ENV": "development",
        "PUBLIC_URL": "http://gateway.test",
        "VAULT_RETENTION_DAYS": "1",
        "MAX_UPLOAD_BYTES": str(32 << 20),
    }


@pytest.fixture(scope="module")
def stand(environ: dict[str, str], keys: Keys) -> Iterator[Stand]:
    """One gateway."""
    running = Stand(environ, keys)
    yield running
    running.close()
