"""An agency's desk: its key, its token, and three ways of sending a return.

`gateway submit` is what most will use; plain gpg and curl is for those who may install nothing; the
client in Python is what a case system would build in.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

from crypto import Certificate, Keyring, sign_and_encrypt, sign_detached
from deploy.demo.stage import DemoFailed, Stage
from gateway.cli.keys import make_openpgp
from gateway.client import GatewayClient, Upload
from validators.building import Rows, Sign, build_package
from validators.standard import Standard

GPG = ("gpg", "--batch", "--quiet", "--no-tty", "--trust-model", "always")


@dataclass(frozen=True, slots=True)
class Desk:
    """One agency, with what it keeps in its own folder."""

    agency_id: str
    folder: Path

    @property
    def key(self) -> Path:
        """Its private key."""
        return self.folder / "agency-key.asc"

    @property
    def certificate(self) -> Path:
        """Its certificate, as handed to the administrator."""
        return self.folder / "agency-certificate.asc"

    @property
    def token(self) -> str:
        """Its access token."""
        return (self.folder / "token").read_text("ascii").strip()

    @classmethod
    def open(cls, agency_id: str, folder: Path) -> "Desk":
        """A new desk, with a key of its own."""
        folder.mkdir(parents=True)
        make_openpgp(folder, "agency", user_id=f"{agency_id} <data@agency.invalid>")
        return cls(agency_id, folder)

    def keyring(self) -> Keyring:
        """The private key, loaded."""
        return Keyring.load([self.key.read_bytes()])

    def keep_token(self, secret: str) -> None:
        """Put the token where only this desk finds it."""
        file = self.folder / "token"
        file.touch(mode=0o600)
        file.write_text(f"{secret}\n", "ascii")

    def package(
        self,
        records: Mapping[str, Rows],
        period: tuple[str, str],
        *,
        standard: Standard,
        sign: Sign | None = None,
        agency_id: str | None = None,
    ) -> bytes:
        """A package of records, with a manifest signed by this agency."""
        now = datetime.now(UTC)
        keyring = self.keyring()
        fields = _fields(self.agency_id, period, standard) | {
            "agency_id": agency_id or self.agency_id
        }
        return build_package(
            records,
            fields,
            sign=sign or (lambda canonical: sign_detached(canonical, signer=keyring, now=now)),
            now=now,
            submission_id=uuid4(),
        ).data

    def send(self, package: bytes, gateway: Certificate, url: str) -> dict[str, Any]:
        """Send with the client in Python; return the submission once it is settled."""
        sink, now = BytesIO(), datetime.now(UTC)
        sign_and_encrypt(
            BytesIO(package), sink, signer=self.keyring(), recipients=[gateway], now=now
        )
        return self.wait(self.post(sink.getvalue(), url), url)

    def post(self, message: bytes, url: str) -> dict[str, Any]:
        """Upload a message; return the acknowledgement."""
        file = self.folder / f"{uuid4()}.pgp"
        file.write_bytes(message)
        client = GatewayClient(url, self.token)
        try:
            return client.submit(Upload.of(file))
        finally:
            client.close()

    def wait(self, found: dict[str, Any], url: str) -> dict[str, Any]:
        """The submission once it is settled."""
        client = GatewayClient(url, self.token)
        while found["state"] == "received":
            time.sleep(0.1)
            found = client.get(f"/v1/submissions/{found['id']}")
        client.close()
        return found


class GnupgDesk:
    """An agency that uses gpg and curl and nothing of ours."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        # A short path: gpg's agent listens on a socket in it.
        self._home = Path(mkdtemp(prefix="gpg-"))

    @staticmethod
    def possible() -> bool:
        """Whether both programs are here."""
        return all(shutil.which(name) for name in ("gpg", "curl"))

    def close(self) -> None:
        """End the agent and forget the keyring."""
        self._gpg("gpgconf", "--kill", "all")
        shutil.rmtree(self._home)

    def learn(self, gateway: Path) -> None:
        """Import the own key and the gateway's certificate."""
        for file in (self.desk.key, gateway):
            self._gpg(*GPG, "--import", str(file))

    def sign(self, canonical: bytes) -> str:
        """A detached signature by gpg."""
        return self._gpg(*GPG, "--armor", "--detach-sign", stdin=canonical).decode("ascii")

    def encrypt(self, package: bytes, recipient: str) -> bytes:
        """Signed and encrypted by gpg."""
        return self._gpg(*GPG, "--sign", "--encrypt", "--recipient", recipient, stdin=package)

    def _gpg(self, *command: str, stdin: bytes | None = None) -> bytes:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            env={"GNUPGHOME": str(self._home), "PATH": _path(), "LC_ALL": "C"},
            check=False,
        )
        if done.returncode != 0:
            raise DemoFailed(f"{' '.join(command)}: {done.stderr.decode()}")
        return done.stdout


def send_with_curl(stage: Stage, desk: Desk, message: Path) -> str:
    """Upload with curl; return the submission's id."""
    # The token goes in a file: a command line can be read by every user of the machine.
    header = desk.folder / "curl-header"
    header.touch(mode=0o600)
    header.write_text(f"Authorization: Bearer {desk.token}\n", "ascii")
    answer = stage.run(
        (
            "curl", "--silent", "--show-error", "--fail-with-body",
            "--header", f"@{header}",
            "--header", "Content-Type: application/pgp-encrypted",
            "--data-binary", f"@{message}",
            f"{stage.url}/v1/submissions",
        )
    )  # fmt: skip
    return str(load(answer)["id"])


def load(text: str) -> dict[str, Any]:
    """A JSON document that one of our own programs printed."""
    found: dict[str, Any] = json.loads(text)
    return found


def _path() -> str:
    return os.environ.get("PATH", "/usr/bin:/bin")


def _fields(agency_id: str, period: tuple[str, str], standard: Standard) -> dict[str, Any]:
    agency = standard.agencies[agency_id]
    voluntary = agency.agency_type in {"NGO", "GUARD"}
    domain = "agency.example.org" if voluntary else "agency.gov.uk"
    return {
        "agency_type": agency.agency_type,
        "period_type": "QUARTER",
        "period_start": period[0],
        "period_end": period[1],
        "link_scheme": "CTL1-2026",
        "contact": {"role": "Data officer", "team": "Data", "mailbox": f"data@{domain}"},
        "sign_off": {"role": "Head of service", "date": datetime.now(UTC).date().isoformat()},
        "coverage": {"units_expected": 1, "units_reporting": 1, "known_gaps": ""},
        "lawful_basis": "LEGITIMATE_INTEREST" if voluntary else "PUBLIC_TASK",
    }
