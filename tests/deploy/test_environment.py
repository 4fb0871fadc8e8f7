"""deploy/environment: each example starts its own process, and no other one's secrets are in it."""

import re
from pathlib import Path

import pytest

from gateway.settings import Process, Settings
from tests.deploy.environment import FOLDER, example

PROCESSES = {
    "web": Process.WEB,
    "sftp": Process.SFTP,
    "worker": Process.WORKER,
    "sequencer": Process.SEQUENCER,
    "mirror": Process.MIRROR,
    "administrator": Process.ADMIN,
    "owner": Process.ADMIN,
}
SECRETS = {
    "GATEWAY_KEY_FILE": "worker",
    "SFTP_HOST_KEY_FILE": "sftp",
    "LOG_KEY_FILE": "signer",
    "LOG_MEMORY_FILE": "signer",
}
GATEWAY = Path(__file__).parents[2] / "gateway"
SIGNER = {"LOG_KEY_FILE", "LOG_MEMORY_FILE", "SIGNER_SOCKET"}
ALL = (*PROCESSES, "signer")


def known() -> set[str]:
    """Every setting that gateway.settings reads, and what the signer reads by itself."""
    source = (GATEWAY / "settings.py").read_text() + (GATEWAY / "cli" / "signer.py").read_text()
    return set(re.findall(r'"([A-Z][A-Z0-9]*_[A-Z0-9_]+)"', source))


def substituted(name: str, folder: Path) -> dict[str, str]:
    """The example with its files put where a test may write."""
    values = example(name)
    for key in [key for key in values if key.endswith("_FILE")]:
        path = folder / key
        path.write_text("")
        path.chmod(0o600)
        values[key] = str(path)
    if "SIGNER_SOCKET" in values:
        values["SIGNER_SOCKET"] = str(folder / "socket")
    if "SFTP_SPOOL_FOLDER" in values:
        values["SFTP_SPOOL_FOLDER"] = str(folder)
    return values


def test_there_is_one_example_for_each_process() -> None:
    found = {path.name.removesuffix(".env.example") for path in FOLDER.iterdir()}
    assert found == set(ALL)


def test_the_signer_is_told_of_its_key_its_memory_and_its_socket_and_nothing_else() -> None:
    assert example("signer").keys() == SIGNER
    assert example("signer")["SIGNER_SOCKET"] == example("sequencer")["SIGNER_SOCKET"]


@pytest.mark.parametrize("name", PROCESSES)
def test_an_example_starts_its_process_in_production(name: str, tmp_path: Path) -> None:
    settings = Settings.load(substituted(name, tmp_path), PROCESSES[name])
    assert settings.production


@pytest.mark.parametrize("name", ALL)
def test_an_example_names_no_setting_that_does_not_exist(name: str) -> None:
    commented = re.findall(r"^#([A-Z0-9_]+)=", (FOLDER / f"{name}.env.example").read_text(), re.M)
    assert (example(name).keys() | set(commented)) <= known()


@pytest.mark.parametrize(("secret", "owner"), SECRETS.items())
def test_a_private_key_is_in_one_environment_only(secret: str, owner: str) -> None:
    assert {name for name in ALL if secret in example(name)} == {owner}


@pytest.mark.parametrize("name", ALL)
def test_private_files_stand_in_the_folder_of_their_user(name: str) -> None:
    private = ("PSEUDONYM_KEY_FILE", "GATEWAY_KEY_FILE", "LINKAGE_PEPPER_FILE", "LOG_KEY_FILE")
    paths = {example(name)[key] for key in private if key in example(name)}
    assert all(path.startswith(f"/etc/gateway/{name}/") for path in paths)


@pytest.mark.parametrize(
    "shared", ["PUBLIC_URL", "S3_ENDPOINT_URL", "S3_REGION", "S3_BUCKET_PREFIX"]
)
def test_what_is_one_for_all_is_the_same_in_all(shared: str) -> None:
    named = {name: example(name)[shared] for name in PROCESSES if shared in example(name)}
    assert len(set(named.values())) == 1
    assert named.keys() >= {"web", "worker"}


def test_each_process_has_its_own_role_in_the_database() -> None:
    roles = [re.search(r"//(\w+)@", example(name)["DATABASE_URL"]) for name in PROCESSES]
    assert len({role[1] for role in roles if role}) == len(PROCESSES)
