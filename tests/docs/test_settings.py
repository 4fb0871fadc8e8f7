"""docs/settings.md has every setting and no other."""

import re
from pathlib import Path

import pytest

import gateway.cli.signer
import gateway.settings
from gateway.errors import SettingsRefused
from gateway.settings import Process, Settings
from tests.docs.pages import DOCS, first_column

SOURCE = Path(gateway.settings.__file__).read_text()
# The signer knows nothing of the rest, so it reads its own.
SIGNER = Path(gateway.cli.signer.__file__).read_text()


def test_every_setting_is_documented_once_and_none_else() -> None:
    read = set(re.findall(r'"([A-Z][A-Z0-9]*_[A-Z0-9_]+)"', SOURCE + SIGNER))
    documented = first_column("settings.md")
    assert sorted(documented) == sorted(read)


@pytest.mark.parametrize("process", Process)
def test_who_needs_a_setting_is_who_is_refused_without_it(process: Process) -> None:
    with pytest.raises(SettingsRefused) as refused:
        Settings.load({}, process)
    missing = {fault.split()[0] for fault in refused.value.faults if fault.endswith("not set.")}
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| none \|", _page(), re.MULTILINE)
    needed = {name for name, who in rows if who == "all" or process in who.split(", ")}
    assert missing == needed


def test_defaults_are_those_of_the_code() -> None:
    written = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| (\d+)", _page(), re.MULTILINE))
    coded = re.findall(r'reader\.number\("(\w+)", default=([^)]+)\)', SOURCE)
    assert {name: int(value) for name, value in written.items()} == {
        name: _number(value) for name, value in coded
    }


def _number(text: str) -> int:
    left, _, shift = text.partition(" << ")
    return int(left) << int(shift or 0)


def _page() -> str:
    return (DOCS / "settings.md").read_text()
