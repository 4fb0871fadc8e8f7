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
        self._run("gpgconf", "--kill", "all")

    def generate(self, user_id: str, algorithm: str) -> bytes:
        """Make a key that signs and decrypts; return it, private part included."""
        protect = ("--pinentry-mode", "loopback", "--passphrase", "")
        self._run(*QUIET, *protect, "--quick-gen-key", user_id, algorithm, "default", "never")
        return self._run(*QUIET, *protect, "--armor", "--export-secret-keys", f"={user_id}")

    def add(self, key: bytes) -> None:
        """Import a key or certificate."""
        self._run(*QUIET, "--import", stdin=key)

    def decrypt_all(self, messages: Sequence[Path]) -> float:
        """Decrypt and verify one after the other; return the seconds it took."""
        started = time.perf_counter()
        for message in messages:
            self._run(*QUIET, "--decrypt", str(message))
        return time.perf_counter() - started

    def _run(self, *command: str, stdin: bytes | None = None) -> bytes:
        done = subprocess.run(
            command, input=stdin, env=self._environ, capture_output=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode()}")
        return done.stdout
