"""Commands run as a person runs them: through `main`, with its statuses and its two streams."""

import json
import sys
from dataclasses import dataclass
from typing import Any, cast

import pytest

from gateway.cli import main

SETTINGS = (
    *("GATEWAY_URL", "GATEWAY_TOKEN", "PUBLIC_URL"),
    *("GATEWAY_SFTP", "GATEWAY_SSH_KEY", "GATEWAY_HOST_KEY"),
)
"""Variables of whoever runs the tests, which no test may see."""


@dataclass(frozen=True)
class Done:
    """What a command left: its exit status, its data and its talk."""

    status: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """The data, which must be one JSON document."""
        return cast("dict[str, Any]", json.loads(self.out))


class Shell:
    """Runs `gateway ARGUMENTS`, in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: object, **environ: str) -> Done:
        """Run a command with these variables added to the environment."""
        with self._monkeypatch.context() as patch:
            for name in SETTINGS:
                patch.delenv(name, raising=False)
            for name, value in environ.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["gateway", *map(str, arguments)])
            self._capsys.readouterr()
            status = _status()
        said = self._capsys.readouterr()
        return Done(status, said.out, said.err)

    def well(self, *arguments: object, **environ: str) -> Done:
        """Run a command that must succeed."""
        done = self(*arguments, **environ)
        assert done.status == 0, done
        return done

    def fails(self, status: int, *arguments: object, **environ: str) -> Done:
        """Run a command that must fail with a status, in the one form that failures have."""
        done = self(*arguments, **environ)
        assert done.status == status, done
        assert done.err.startswith("gateway: error: "), done
        assert "Traceback" not in done.err
        return done


def _status() -> int:
    try:
        main()
    except SystemExit as end:
        return cast("int", end.code)
    return 0
