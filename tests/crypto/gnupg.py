"""The real gpg in a home of its own: what most senders use, and the other side of every check."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


def require_gpg() -> str:
    """The path of gpg. Without it a build fails; on a laptop the tests say why they skip."""
    path = shutil.which("gpg")
    if path:
        return path
    reason = "gpg (GnuPG 2.2 or later) is not installed, and these tests are against the real one"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Gnupg:
    """One home directory. Its path must be short: the agent's socket has 108 characters.

    `lives_at` is where its clock stands, as in 20200101T000000; by default it is the real one.
    """

    program: str
    home: Path
    lives_at: str = ""

    def __call__(self, *arguments: str, given: bytes = b"", at: str = "") -> bytes:
        """Run gpg; answer its output. `at` sets its clock, as in 20200101T000000."""
        told = at or self.lives_at
        clock = ("--faked-system-time", told) if told else ()
        fixed = ("--batch", "--yes", "--quiet", "--trust-model", "always", "--no-tty")
        done = subprocess.run(
            [self.program, *fixed, "--pinentry-mode", "loopback", *clock, *arguments],
            input=given,
            capture_output=True,
            check=False,
            env={"GNUPGHOME": str(self.home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def new_key(self, name: str, *, algorithm: str, expires: str = "never", at: str = "") -> str:
        """Make a key and a subkey to encrypt to, without passphrase; answer its fingerprint."""
        self("--passphrase", "", "--quick-gen-key", name, algorithm, "default", expires, at=at)
        fingerprint = self.fingerprint(name)
        subkey = "cv25519" if algorithm == "ed25519" else algorithm
        self.add_subkey(fingerprint, subkey, usage="encr", expires=expires, at=at)
        return fingerprint

    def add_subkey(
        self, fingerprint: str, algorithm: str, *, usage: str, expires: str = "never", at: str = ""
    ) -> None:
        """Add a subkey to a key."""
        arguments = ("--quick-add-key", fingerprint, algorithm, usage, expires)
        self("--passphrase", "", *arguments, at=at)

    def fingerprint(self, name: str) -> str:
        """The fingerprint of a key by its name."""
        listed = self("--with-colons", "--list-keys", name).decode().splitlines()
        return next(line.split(":")[9] for line in listed if line.startswith("fpr:"))

    def export(self, name: str) -> bytes:
        """The binary certificate."""
        return self("--export", name)

    def export_secret(self, name: str) -> bytes:
        """The binary secret key."""
        return self("--passphrase", "", "--export-secret-keys", name)

    def revoke(self, fingerprint: str) -> None:
        """Import the revocation certificate that gpg wrote when it made the key."""
        path = self.home / "openpgp-revocs.d" / f"{fingerprint}.rev"
        # gpg puts a colon before the armor so that nobody imports it by accident.
        self("--import", given=path.read_bytes().replace(b":-----BEGIN", b"-----BEGIN"))

    def stop(self) -> None:
        """End this home's agent."""
        subprocess.run(
            ["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=False, timeout=20
        )
