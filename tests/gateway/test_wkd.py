"""`gpg --locate-keys` finds the gateway's certificate by its address, over HTTPS, with no help.

gpg looks the name up and checks the server's TLS certificate as on any machine. To let it do so on
loopback, it runs where /etc/hosts and the trusted authorities are the test's own (a mount
namespace, which needs root); the machine itself stays as it is.
"""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug.serving import make_server

from crypto import wkd_hash
from gateway.wiring import LOCAL_PART
from tests.gateway.stand import Stand

DOMAIN = "gateway.test"
ADDRESS = f"{LOCAL_PART}@{DOMAIN}"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


def able_to_be_another_machine() -> bool:
    """Whether a mount namespace may be made and what stands in it is here."""
    if os.geteuid() != 0 or not Path(AUTHORITIES).exists():
        return False
    if not all(shutil.which(name) for name in ("gpg", "dirmngr", "unshare")):
        return False
    return subprocess.run(("unshare", "--mount", "true"), check=False).returncode == 0


@pytest.fixture
def https(stand: Stand, tmp_path: Path) -> Iterator[Path]:
    """The application behind TLS on port 443 of loopback; yields what its clients must trust."""
    certificate, key = tls_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = make_server("127.0.0.1", 443, stand.app, threaded=True, ssl_context=context)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield certificate
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def gnupg_home() -> Iterator[Path]:
    """A GnuPG home with a short path, as the agents listen on sockets in it."""
    home = Path(mkdtemp(prefix="wkd-"))
    (home / "dirmngr.conf").write_text("standard-resolver\ndisable-ldap\n")
    yield home
    subprocess.run(("gpgconf", "--homedir", str(home), "--kill", "all"), check=False)
    shutil.rmtree(home)


def tls_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(DOMAIN), x509.DNSName(f"openpgpkey.{DOMAIN}")]
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, DOMAIN)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([*names, x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "tls.pem", folder / "tls.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, secret


def on_a_machine_that_trusts(
    authority: Path, command: tuple[str, ...], home: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command where the domain is loopback and the authority is trusted."""
    hosts = authority.with_name("hosts")
    hosts.write_text(f"127.0.0.1 localhost {DOMAIN} openpgpkey.{DOMAIN}\n")
    script = (
        f'mount --bind {hosts} /etc/hosts && mount --bind {authority} {AUTHORITIES} && exec "$@"'
    )
    return subprocess.run(
        ("unshare", "--mount", "sh", "-c", script, "sh", *command),
        env={**os.environ, "GNUPGHOME": str(home), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(
    not able_to_be_another_machine() and "CI" not in os.environ,
    reason="needs root, gpg, dirmngr and a mount namespace",
)
def test_gpg_finds_the_gateways_key_by_its_address(
    stand: Stand, https: Path, gnupg_home: Path
) -> None:
    command = (
        "gpg",
        "--batch",
        "--auto-key-locate",
        "clear,wkd,nodefault",
        "--locate-keys",
        ADDRESS,
    )
    done = on_a_machine_that_trusts(https, command, gnupg_home)
    assert done.returncode == 0, done.stderr
    assert stand.keys.gateway.fingerprint.upper() in done.stdout


@pytest.mark.parametrize("form", ["hu", f"{DOMAIN}/hu"])
def test_both_forms_of_the_address_are_served(stand: Stand, form: str) -> None:
    path = f"/.well-known/openpgpkey/{form}/{wkd_hash(LOCAL_PART)}?l={LOCAL_PART}"
    answer = stand.client.get(path)
    assert answer.status_code == 200
    assert answer.content_type == "application/octet-stream"
    assert answer.get_data() == stand.keys.gateway.data


def test_nobody_else_is_found(stand: Stand) -> None:
    path = f"/.well-known/openpgpkey/hu/{wkd_hash('somebody')}"
    assert stand.client.get(path).status_code == 404
    assert stand.client.get("/.well-known/openpgpkey/policy").status_code == 200
