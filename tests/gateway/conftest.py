"""What several files here need besides the stand."""

from collections.abc import Iterator

import pytest

from tests.gateway.processes import Processes
from tests.gateway.stand import Stand


@pytest.fixture(scope="module")
def web(stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """The real processes."""
    with Processes(stand.environ, tmp_path_factory.mktemp("web")) as running:
        yield running
