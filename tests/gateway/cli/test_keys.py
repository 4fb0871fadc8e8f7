"""`gateway keys`: what is made is usable, private, and never overwritten."""

from pathlib import Path
from time import sleep

import pytest

from audit.keys import Signer, Verifier
from crypto import KeyLocked, Keyring
from gateway.cli import failures
from gateway.cli.profile import EXAMPLE
from gateway.wiring import LOCAL_PART
from tests.gateway.cli.conftest import Desk
from tests.gateway.cli.shell import Shell

KINDS = ("gateway", "vault", "agency", "log", "pseudonym", "pepper")


NAMED = {"log": ("--name", "log.test"), "gateway": ("--domain", "gateway.test")}


def _init(shell: Shell, kind: str, out: Path, *options: object) -> None:
    shell.well("keys", "init", kind, "--out", out, *NAMED.get(kind, ()), *options)


@pytest.mark.parametrize("kind", KINDS)
def test_private_parts_are_their_owners_alone(kind: str, shell: Shell, tmp_path: Path) -> None:
    _init(shell, kind, tmp_path / "keys")
    public = {f"{kind}-certificate.asc", "log.vkey"}
    made = list((tmp_path / "keys").iterdir())
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    secret = [path for path in made if path.name not in public]
    assert secret
    assert {path.stat().st_mode & 0o077 for path in secret} == {0}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_overwritten(kind: str, shell: Shell, tmp_path: Path) -> None:
    _init(shell, kind, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    command = ("keys", "init", kind, "--out", tmp_path, *NAMED.get(kind, ()))
    done = shell.fails(failures.FAILED, *command)
    assert "is there already" in done.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("kind", ["gateway", "vault", "agency"])
def test_no_secret_is_printed(kind: str, shell: Shell, tmp_path: Path) -> None:
    done = shell.well("keys", "init", kind, "--out", tmp_path, "--json", *NAMED.get(kind, ()))
    assert "PRIVATE" not in done.out + done.err
    assert set(done.json()) - {"primary"} == {"key", "certificate", "fingerprint"}


def test_the_log_key_signs_for_its_verifier(shell: Shell, tmp_path: Path) -> None:
    _init(shell, "log", tmp_path)
    signer = Signer.from_skey((tmp_path / "log.skey").read_text().strip())
    assert signer.verifier == Verifier.from_vkey((tmp_path / "log.vkey").read_text().strip())


def test_a_log_needs_a_name(shell: Shell, tmp_path: Path) -> None:
    assert "--name" in shell.fails(failures.USAGE, "keys", "init", "log", "--out", tmp_path).err


@pytest.mark.parametrize(
    ("options", "environ"),
    [
        (("--domain", "gateway.test"), {}),
        ((), {"PUBLIC_URL": "https://gateway.test:8443/"}),
        (("--domain", "gateway.test"), {"PUBLIC_URL": "https://other.test"}),
    ],
)
def test_the_gateways_key_has_the_address_that_web_key_directory_serves(
    shell: Shell, tmp_path: Path, options: tuple[str, ...], environ: dict[str, str]
) -> None:
    shell.well("keys", "init", "gateway", "--out", tmp_path, *options, **environ)
    shown = shell.well("keys", "show", tmp_path / "gateway-certificate.asc", "--json").json()
    assert shown["user_ids"] == [f"CTDS gateway <{LOCAL_PART}@gateway.test>"]


def test_without_its_host_no_key_of_the_gateway_is_made(shell: Shell, tmp_path: Path) -> None:
    shell.fails(failures.USAGE, "keys", "init", "gateway", "--out", tmp_path / "keys")
    assert not (tmp_path / "keys").exists()


def _parts(folder: Path, primary: Path) -> tuple[object, ...]:
    key, certificate = folder / "gateway-key.asc", folder / "gateway-certificate.asc"
    return ("--primary", primary, "--key", key, "--certificate", certificate)


def test_the_gateways_key_is_rotated_and_the_old_subkey_retired(
    shell: Shell, tmp_path: Path
) -> None:
    words = tmp_path / "passphrase"
    words.write_text("correct horse\n")
    _init(shell, "gateway", tmp_path / "0", "--passphrase-file", words)
    primary, unlocked = tmp_path / "0" / "gateway-primary.asc", ("--passphrase-file", words)
    parts = _parts(tmp_path / "0", primary)
    turned = shell.well("keys", "rotate", *parts, *unlocked, "--out", tmp_path / "1", "--json")
    parts = _parts(tmp_path / "1", primary)
    early = shell.fails(
        failures.FAILED, "keys", "retire", *parts, *unlocked, "--out", tmp_path / "2"
    )
    assert "nothing was written" in early.err
    assert not (tmp_path / "2").exists()
    command = ("keys", "retire", *parts, *unlocked, "--grace", 0, "--out", tmp_path / "2")
    sleep(2.1)  # the new subkey is a second younger than the old one, and that has to be over
    gone = shell.well(*command, "--json").json()["retired"]
    keys = [(tmp_path / str(step) / "gateway-key.asc").read_bytes() for step in range(3)]
    decrypting = [set(Keyring.load([key]).decrypting) for key in keys]
    assert decrypting == [{gone}, {gone, turned.json()["new"]}, {turned.json()["new"]}]
    shown = shell.well("keys", "show", tmp_path / "2" / "gateway-certificate.asc", "--json").json()
    assert shown["acceptable"]
    assert shown["encryption_keys"] == [turned.json()["new"]]


def test_rotating_overwrites_nothing_and_needs_the_primary(shell: Shell, tmp_path: Path) -> None:
    _init(shell, "gateway", tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    parts = _parts(tmp_path, tmp_path / "gateway-primary.asc")
    assert (
        "is there already"
        in shell.fails(failures.FAILED, "keys", "rotate", *parts, "--out", tmp_path).err
    )
    parts = _parts(tmp_path, tmp_path / "gateway-key.asc")
    done = shell.fails(failures.FAILED, "keys", "rotate", *parts, "--out", tmp_path / "new")
    assert "primary" in done.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("kind", "file"), [("pseudonym", "pseudonym.key"), ("pepper", "linkage.pepper")]
)
def test_such_a_key_is_32_random_bytes(kind: str, file: str, shell: Shell, tmp_path: Path) -> None:
    _init(shell, kind, tmp_path / "one")
    _init(shell, kind, tmp_path / "two")
    one, two = ((tmp_path / name / file).read_text() for name in ("one", "two"))
    assert len(bytes.fromhex(one)) == 32
    assert one != two


def test_the_vault_key_comes_with_a_warning_and_never_expires(shell: Shell, tmp_path: Path) -> None:
    done = shell.well("keys", "init", "vault", "--out", tmp_path)
    assert "never on the gateway" in done.err
    shown = shell.well("keys", "show", tmp_path / "vault-certificate.asc", "--json").json()
    assert shown["expires"] is None


def test_a_passphrase_is_needed_afterwards(shell: Shell, tmp_path: Path) -> None:
    words = tmp_path / "passphrase"
    words.write_text("correct horse\nsecond line\n")
    _init(shell, "agency", tmp_path, "--passphrase-file", words)
    key = (tmp_path / "agency-key.asc").read_bytes()
    with pytest.raises(KeyLocked):
        Keyring.load([key])
    profile = tmp_path / "agency.toml"
    profile.write_text(EXAMPLE)
    given = ("--profile", profile, "--period", "2026Q1", "--key", tmp_path / "agency-key.asc")
    done = shell.fails(failures.FAILED, "package", *given, "--out", tmp_path / "p.zip")
    assert "hint: Name the file that its passphrase stands in: --passphrase-file." in done.err
    assert Keyring.load([key], passphrase="correct horse").certificates


def test_an_empty_passphrase_is_refused_before_a_key_is_made(shell: Shell, tmp_path: Path) -> None:
    words = tmp_path / "passphrase"
    words.write_text("\n")
    options = ("--out", tmp_path / "keys", "--passphrase-file", words)
    shell.fails(failures.USAGE, "keys", "init", "agency", *options)
    assert list((tmp_path / "keys").iterdir()) == []


def test_key_and_certificate_show_the_same_public_facts(desk: Desk) -> None:
    of_key = desk.shell.well("keys", "show", desk.key, "--json").json()
    of_certificate = desk.shell.well("keys", "show", desk.certificate, "--json").json()
    assert of_key == of_certificate
    assert of_key["acceptable"]
    assert of_key["user_ids"] == ["Police <data@police.test>"]
    assert of_key["signing_keys"]
    assert of_key["encryption_keys"]


def test_what_is_no_certificate_is_refused(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a key")
    done = shell.fails(failures.REJECTED, "keys", "show", file)
    assert "[certificate-refused]" in done.err
