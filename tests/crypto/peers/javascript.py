"""OpenPGP.js from npm: what web applications and browser extensions encrypt with."""

import json
import subprocess
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from tests.crypto.peers.programs import missing, require

FOLDER = Path(__file__).parent / "openpgpjs"


class OpenPgpJs:
    """One node process for all requests."""

    name = "openpgp.js"
    makes = frozenset({"rsa3072", "rsa4096", "ed25519", "nistp256"})
    compresses = True

    def __init__(self) -> None:
        node = require("node", "nodejs")
        if not (FOLDER / "node_modules" / "openpgp").is_dir():
            missing(f"openpgp is not installed (npm ci, in {FOLDER})")
        self._node = subprocess.Popen(
            [node, "peer.mjs"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def close(self) -> None:
        """End the process."""
        with self._node as node:
            assert node.stdin is not None
            node.stdin.close()

    def new_key(self, algorithm: str) -> bytes:
        return self._ask("key", algorithm=algorithm, name="Peer")

    def encrypt(
        self,
        plaintext: bytes,
        *,
        signer: bytes,
        recipients: list[bytes],
        compressed: bool,
        armored: bool,
    ) -> bytes:
        return self._ask(
            "encrypt",
            plaintext=_text(plaintext),
            signer=_text(signer),
            recipients=[_text(one) for one in recipients],
            compressed=compressed,
            armored=armored,
        )

    def decrypt(self, message: bytes, *, key: bytes, signer: bytes | None) -> bytes:
        sender = _text(signer) if signer else None
        return self._ask("decrypt", message=_text(message), key=_text(key), signer=sender)

    def _ask(self, action: str, **values: Any) -> bytes:
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.write(json.dumps({"do": action, **values}) + "\n")
        self._node.stdin.flush()
        answer = json.loads(self._node.stdout.readline())
        assert "ok" in answer, answer["error"]
        return b64decode(answer["ok"])


def _text(data: bytes) -> str:
    return b64encode(data).decode()
