"""The example environment files, read as systemd and `gateway --env-file` read them."""

from pathlib import Path

FOLDER = Path(__file__).parents[2] / "deploy" / "environment"


def example(name: str) -> dict[str, str]:
    """The settings in one example."""
    lines = (FOLDER / f"{name}.env.example").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {key: value for key, _, value in pairs}
