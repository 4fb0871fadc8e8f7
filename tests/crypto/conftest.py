"""One gpg for all tests of this folder, with the keys that they share."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# pytest's importlib mode adds nothing to the path; this makes `tests.crypto.…` importable.
_ROOT = str(Path(__file__).parents[2])
if _ROOT not in sys.path:
    sys.path.append(_ROOT)

from tests.crypto.gnupg import Gnupg, require_gpg  # noqa: E402 - the path comes first
from tests.crypto.parties import GATEWAY, NOW  # noqa: E402 - the path comes first


@pytest.fixture(scope="session")
def gpg() -> Iterator[Gnupg]:
    """A gpg that knows the gateway and owns `rsa@`, `curve@` and `nist@` example.org."""
    program = require_gpg()
    with tempfile.TemporaryDirectory(prefix="g", dir="/tmp", ignore_cleanup_errors=True) as home:
        # The tests happen at one moment, which may be long before the run comes to them.
        one = Gnupg(program, Path(home), lives_at=f"{NOW:%Y%m%dT%H%M%S}")
        one("--import", given=GATEWAY.certificate.data)
        one.new_key("Rsa <rsa@example.org>", algorithm="rsa3072")
        one.new_key("Curve <curve@example.org>", algorithm="ed25519")
        one.new_key("Nist <nist@example.org>", algorithm="nistp256")
        yield one
        one.stop()
