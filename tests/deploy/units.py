"""The shipped systemd units, as far as they say how a process is started."""

from pathlib import Path

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
_UNITS = {
    "web": "gateway-web.service",
    "sftp": "gateway-sftp@.service",
    "worker": "gateway-worker@.service",
    "sequencer": "gateway-sequencer.service",
    "mirror": "gateway-mirror.service",
    "signer": "gateway-signer.service",
}
NAMES = tuple(_UNITS.values())


def settings(name: str) -> list[str]:
    """The lines of a unit that say something."""
    lines = (FOLDER / name).read_text().splitlines()
    return [line for line in lines if "=" in line and not line.startswith("#")]


def environment(name: str) -> dict[str, str]:
    """What a unit itself adds to the environment of its process."""
    begin = "Environment="
    given = [line.removeprefix(begin) for line in settings(name) if line.startswith(begin)]
    return dict(line.split("=", 1) for line in given)


def of_process(name: str) -> dict[str, str]:
    """What the unit of a process adds, such as of "worker-1"."""
    return environment(_UNITS[name.partition("-")[0]])
