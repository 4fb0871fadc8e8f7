"""gpg as the thing to measure against: a keyring of its own, a loop of `gpg --decrypt`."""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

QUIET = ("gpg", "--quiet", "--batch", "--no-tty", "--trust-model", "always")


class Gnupg:
    """A GnuPG home with the gateway's key and the certificates of the agencies."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self._environ = {**os.environ, "GNUPGHOME": str(home), "LC_ALL": "C"}

    def close(self) -> None:
        """End the agent of this home."""
        self.run("gpgconf", "--kill", "all")

    def generate(self, user_id: str, algorithm: str) -> bytes:
        """Make a key that signs and decrypts; return it, private part included."""
        protect = ("--pinentry-mode", "loopback", "--passphrase", "")
        self.run(*QUIET, *protect, "--quick-gen-key", user_id, algorithm, "default", "never")
        return self.run(*QUIET, *protect, "--armor", "--export-secret-keys", f"={user_id}")

    def add(self, key: bytes) -> None:
        """Import a key or certificate."""
        self.run(*QUIET, "--import", stdin=key)

    def decrypt_all(self, messages: Sequence[Path]) -> float:
        """Decrypt and verify one after the other; return the seconds it took."""
        started = time.perf_counter()
        for message in messages:
            self.run(*QUIET, "--decrypt", str(message))
        return time.perf_counter() - started

    def generate_pair(self, user_id: str, algorithm: str) -> bytes:
        """As `generate`, with a subkey of the same kind to decrypt."""
        self.generate(user_id, algorithm)
        listed = self.run(*QUIET, "--with-colons", "--list-keys", f"={user_id}").decode()
        fingerprint = next(
            line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:")
        )
        protect = ("--pinentry-mode", "loopback", "--passphrase", "")
        self.run(*QUIET, *protect, "--quick-add-key", fingerprint, algorithm, "encr", "never")
        return self.run(*QUIET, *protect, "--armor", "--export-secret-keys", f"={user_id}")

    def export(self, user_id: str) -> bytes:
        """The certificate."""
        return self.run(*QUIET, "--export", f"={user_id}")

    def run(self, *command: str, stdin: bytes | None = None) -> bytes:
        """Run gpg; raise RuntimeError with its words when it fails."""
        done = subprocess.run(
            command, input=stdin, env=self._environ, capture_output=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode()}")
        return done.stdout
