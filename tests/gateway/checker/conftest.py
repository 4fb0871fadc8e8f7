"""One web process and one open page for all tests of this folder; a person keeps hers open, too.

Neither database nor object store: the page needs none, and nothing here asks for more than it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.profile import EXAMPLE, EXAMPLE_AGENCY
from tests.gateway.checker.chromium import Page, chromium
from tests.gateway.checker.served import Served, require_built, serving
from tests.gateway.stand import Keys
from tests.validators import samples


@pytest.fixture(scope="session")
def checker_environ(keys: Keys) -> dict[str, str]:
    """Settings of a web process whose servers are never asked."""
    return {
        **keys.environ(),
        "GATEWAY_ENV": "development",
        "PUBLIC_URL": "http://gateway.test",
        "DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/nothing",
        "S3_ENDPOINT_URL": "http://127.0.0.1:1",
        "S3_REGION": "nowhere",
        "S3_BUCKET_PREFIX": "nothing",
        "S3_ACCESS_KEY_ID": "unused",
        "S3_SECRET_ACCESS_KEY": "unused",
    }


@pytest.fixture(scope="session")
def web(
    checker_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The web process, with the page as it was built."""
    folder = tmp_path_factory.mktemp("web")
    with serving(checker_environ, folder, require_built()) as running:
        yield running


@pytest.fixture(scope="session")
def page(web: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The open page."""
    with chromium(web.url, tmp_path_factory.mktemp("downloads")) as opened:
        yield opened


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The profile of the sample agency."""
    path = tmp_path_factory.mktemp("profile") / "agency.toml"
    path.write_text(EXAMPLE.replace(EXAMPLE_AGENCY, samples.AGENCY_ID))
    return path
