"""A shell, and an agency's desk: its key, its profile and record files of invented children."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from crypto import Keyring
from gateway.cli.keys import make_openpgp
from gateway.cli.profile import EXAMPLE, EXAMPLE_AGENCY
from tests.gateway.cli.shell import Done, Shell
from tests.gateway.stand import fresh
from tests.validators import samples
from validators.standard import load_standard

QUARTER = "2026Q1"  # of samples.PERIOD


@dataclass(frozen=True)
class Desk:
    """What lies on an agency's own machine."""

    folder: Path
    shell: Shell
    key: Path
    certificate: Path
    profile: Path

    @property
    def keyring(self) -> Keyring:
        """The agency's key."""
        return Keyring.load([self.key.read_bytes()])

    def records(self, count: int = 2, *, spoiled: int = 0) -> list[Path]:
        """CASE, EXPL and DECN files of new children, the first of them with an impossible sex."""
        folder = self.folder / f"records-{fresh():08x}"
        folder.mkdir()
        children = samples.children(count, seed=fresh())
        for case in children["CASE"][:spoiled]:
            case["sex"] = "Q"
        return [_csv(folder, kind, rows) for kind, rows in children.items()]

    def package(self, files: Sequence[Path], *options: object) -> Path:
        """A package of these files, made by the command."""
        out = self.folder / f"package-{fresh():08x}.zip"
        self.pack(files, "--out", out, *options)
        return out

    def pack(self, files: Sequence[Path], *options: object) -> Done:
        """Run `gateway package`, which must succeed."""
        given = ("--profile", self.profile, "--period", QUARTER, "--key", self.key)
        return self.shell.well("package", *files, *given, *options)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell that knows no gateway."""
    return Shell(monkeypatch, capsys)


@pytest.fixture
def desk(shell: Shell, tmp_path: Path) -> Desk:
    """A new police force's desk."""
    made = make_openpgp(tmp_path, "agency", user_id="Police <data@police.test>")
    profile = tmp_path / "agency.toml"
    profile.write_text(EXAMPLE.replace(EXAMPLE_AGENCY, samples.AGENCY_ID))
    return Desk(tmp_path, shell, Path(made["key"]), Path(made["certificate"]), profile)


def _csv(folder: Path, kind: str, rows: Sequence[Mapping[str, str]]) -> Path:
    path = folder / f"{kind}.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, load_standard().records[kind].header, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path
