"""Every setting of the gateway, read once from the environment and checked as a whole.

No secret has a default, no switch turns a check off, and production refuses to start where the
settings would expose data. Each process names what it is, and only what that process needs is
required of it: the web process, for one, never sees a key that opens anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from stat import S_IRWXG, S_IRWXO
from urllib.parse import parse_qs, urlsplit

from gateway.addresses import Encryption, MailServer, mailbox_of
from gateway.errors import RequestRefused, SettingsRefused


class Process(StrEnum):
    """The kinds of process that run the gateway."""

    WEB = "web"
    WORKER = "worker"
    SEQUENCER = "sequencer"
    SFTP = "sftp"
    MIRROR = "mirror"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where mail is handed over, and who it says that it is from."""

    server: MailServer
    password_file: Path | None
    sender: str


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process. Paths are given for secrets, never the secrets themselves."""

    production: bool
    public_url: str
    database_url: str
    s3_endpoint_url: str | None
    s3_access_key_id: str
    s3_secret_access_key: str
    s3_region: str
    s3_bucket_prefix: str
    pseudonym_key_file: Path | None
    gateway_certificate_file: Path
    vault_certificate_files: tuple[Path, ...]
    gateway_key_file: Path | None
    linkage_pepper_file: Path | None
    promise_key_file: Path | None
    signer_socket: Path | None
    log_verifier_file: Path
    witness_policy_file: Path | None
    timestamp_authorities_file: Path | None
    timestamp_seconds: int
    max_upload_bytes: int
    max_waiting: int
    max_waiting_of_an_agency: int
    max_rate_of_an_agency: int
    max_requests_of_an_agency: int
    vault_retention_days: int
    worker_concurrency: int
    mirror_seconds: int
    malware_scanner_socket: Path | None
    sftp_host_key_files: tuple[Path, ...]
    sftp_spool_folder: Path | None
    sftp_quota_bytes: int
    sftp_sessions: int
    sftp_sessions_of_an_agency: int
    sftp_idle_seconds: int
    sftp_agree_seconds: int
    mail: MailSettings | None
    scratch_folder: Path | None
    checker_folder: Path | None

    @classmethod
    def load(cls, environ: Mapping[str, str], process: Process) -> "Settings":
        """Read and check all settings; raise SettingsRefused naming every fault at once."""
        reader = _Reader(environ)
        settings = cls(
            production=reader.choice("GATEWAY_ENV", ("production", "development")) == "production",
            public_url=reader.text("PUBLIC_URL").rstrip("/"),
            database_url=reader.text("DATABASE_URL"),
            s3_endpoint_url=environ.get("S3_ENDPOINT_URL"),
            s3_access_key_id=reader.text_unless(process, "S3_ACCESS_KEY_ID", Process.SEQUENCER),
            s3_secret_access_key=reader.text_unless(
                process, "S3_SECRET_ACCESS_KEY", Process.SEQUENCER
            ),
            s3_region=reader.text_unless(process, "S3_REGION", Process.SEQUENCER),
            s3_bucket_prefix=reader.text_unless(process, "S3_BUCKET_PREFIX", Process.SEQUENCER),
            pseudonym_key_file=reader.secret_unless(
                process, "PSEUDONYM_KEY_FILE", Process.SEQUENCER, Process.MIRROR
            ),
            gateway_certificate_file=reader.file("GATEWAY_CERTIFICATE_FILE"),
            vault_certificate_files=reader.files_for(
                process, "VAULT_CERTIFICATE_FILE", Process.WORKER
            ),
            gateway_key_file=reader.secret_for(process, "GATEWAY_KEY_FILE", Process.WORKER),
            linkage_pepper_file=reader.secret_for(process, "LINKAGE_PEPPER_FILE", Process.WORKER),
            promise_key_file=reader.secret_for(
                process, "PROMISE_KEY_FILE", Process.WEB, Process.SFTP
            ),
            signer_socket=reader.path_for(process, "SIGNER_SOCKET", Process.SEQUENCER),
            log_verifier_file=reader.file("LOG_VERIFIER_FILE"),
            witness_policy_file=reader.file_or_none(
                process, "WITNESS_POLICY_FILE", Process.SEQUENCER
            ),
            timestamp_authorities_file=reader.file_or_none(
                process, "TIMESTAMP_AUTHORITIES_FILE", Process.SEQUENCER
            ),
            timestamp_seconds=reader.number("TIMESTAMP_SECONDS", default=3600),
            max_upload_bytes=reader.number("MAX_UPLOAD_BYTES", default=4 << 30),
            max_waiting=reader.number("MAX_WAITING", default=50_000),
            max_waiting_of_an_agency=reader.number("MAX_WAITING_OF_AN_AGENCY", default=5_000),
            max_rate_of_an_agency=reader.number("MAX_RATE_OF_AN_AGENCY", default=100),
            max_requests_of_an_agency=reader.number("MAX_REQUESTS_OF_AN_AGENCY", default=12),
            vault_retention_days=reader.number("VAULT_RETENTION_DAYS", default=3653),
            worker_concurrency=reader.number("WORKER_CONCURRENCY", default=2),
            mirror_seconds=reader.number("MIRROR_SECONDS", default=60),
            malware_scanner_socket=reader.address_for(
                process, "MALWARE_SCANNER_SOCKET", Process.WORKER
            ),
            sftp_host_key_files=reader.secrets_for(process, "SFTP_HOST_KEY_FILE", Process.SFTP),
            sftp_spool_folder=reader.folder_for(process, "SFTP_SPOOL_FOLDER", Process.SFTP),
            sftp_quota_bytes=reader.number("SFTP_QUOTA_BYTES", default=8 << 30),
            sftp_sessions=reader.number("SFTP_SESSIONS", default=400),
            sftp_sessions_of_an_agency=reader.number("SFTP_SESSIONS_OF_AN_AGENCY", default=50),
            sftp_idle_seconds=reader.number("SFTP_IDLE_SECONDS", default=1800),
            sftp_agree_seconds=reader.number("SFTP_AGREE_SECONDS", default=60),
            mail=reader.mail_for(process, Process.WORKER),
            scratch_folder=reader.folder_or_none("SCRATCH_FOLDER"),
            checker_folder=reader.folder_or_none("CHECKER_FOLDER"),
        )
        faults = reader.faults + (settings.unsafe() if settings.production else [])
        if faults:
            raise SettingsRefused(faults)
        return settings

    def unsafe(self) -> list[str]:
        """What would expose data in production."""
        faults = []
        if urlsplit(self.public_url).scheme != "https":
            faults.append("PUBLIC_URL must be https:// in production.")
        if self.s3_endpoint_url and not _private_or_https(self.s3_endpoint_url):
            faults.append("S3_ENDPOINT_URL must be https:// unless it is on this machine.")
        if self.gateway_key_file is not None and self.malware_scanner_socket is None:
            faults.append("MALWARE_SCANNER_SOCKET must be set: no attachment is taken unscanned.")
        if self.mail is not None and not _private_or_encrypted(self.mail.server):
            faults.append(
                "SMTP_URL must be smtps:// or smtp+starttls:// unless it is on this machine."
            )
        database = urlsplit(self.database_url)
        encrypted = parse_qs(database.query).get("sslmode") == ["verify-full"]
        if not _loopback(database.hostname) and not encrypted:
            faults.append(
                "DATABASE_URL must carry sslmode=verify-full unless it is on this machine."
            )
        return faults


class _Reader:
    """Collects faults while reading, so that all are reported at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def text(self, name: str) -> str:
        value = self._environ.get(name, "").strip()
        if not value:
            self.faults.append(f"{name} is not set.")
        return value

    def text_unless(self, process: Process, name: str, exempt: Process) -> str:
        return "" if process is exempt else self.text(name)

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name)
        if value and value not in allowed:
            self.faults.append(f"{name} must be one of {', '.join(allowed)}.")
        return value

    def number(self, name: str, *, default: int) -> int:
        value = self._environ.get(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or int(value) < 1:
            self.faults.append(f"{name} must be a whole number above 0.")
            return default
        return int(value)

    def file(self, name: str) -> Path:
        value = self.text(name)
        path = Path(value)
        if value and not path.is_file():
            self.faults.append(f"{name}: there is no file {path}.")
        return path

    def secret_file(self, name: str) -> Path:
        path = self.file(name)
        if path.is_file() and _is_open(path):
            self.faults.append(_open_secret(name, path))
        return path

    def secret_unless(self, process: Process, name: str, *exempt: Process) -> Path | None:
        return None if process in exempt else self.secret_file(name)

    def files_for(self, process: Process, name: str, only: Process) -> tuple[Path, ...]:
        """One file, or several with a colon between them."""
        if process is not only:
            return ()
        value = self.text(name)
        paths = tuple(map(Path, value.split(":"))) if value else ()
        missing = [path for path in paths if not path.is_file()]
        self.faults += [f"{name}: there is no file {path}." for path in missing]
        return paths

    def secrets_for(self, process: Process, name: str, only: Process) -> tuple[Path, ...]:
        """Files that only their owner can read, one or several with a colon between them."""
        paths = self.files_for(process, name, only)
        self.faults += [_open_secret(name, path) for path in paths if _is_open(path)]
        return paths

    def folder_for(self, process: Process, name: str, only: Process) -> Path | None:
        """A folder that only its owner can enter."""
        if process is not only:
            return None
        path = Path(self.text(name))
        if not path.is_dir():
            self.faults.append(f"{name}: there is no folder {path}.")
        elif _is_open(path):
            self.faults.append(f"{name}: {path} must be its owner's only (chmod 700).")
        return path

    def path_for(self, process: Process, name: str, only: Process) -> Path | None:
        """A file that another process makes; only its folder must be there."""
        if process is not only:
            return None
        path = Path(self.text(name))
        if not path.parent.is_dir():
            self.faults.append(f"{name}: there is no folder {path.parent}.")
        return path

    def address_for(self, process: Process, name: str, only: Process) -> Path | None:
        """A Unix socket of another service, which need not be there yet."""
        value = self._environ.get(name)
        return Path(value) if value and process is only else None

    def file_or_none(self, process: Process, name: str, only: Process) -> Path | None:
        """A file that need not be named."""
        return self.file(name) if process is only and self._environ.get(name) else None

    def mail_for(self, process: Process, only: Process) -> MailSettings | None:
        """Where mail is handed over; None where nothing at all is said of it."""
        given = {
            name for name in ("SMTP_URL", "MAIL_FROM", "SMTP_PASSWORD_FILE") if self._is_set(name)
        }
        if process is not only or not given:
            return None
        server, sender = self._mail_server("SMTP_URL"), self._mailbox("MAIL_FROM")
        file = (
            self.secret_file("SMTP_PASSWORD_FILE") if self._is_set("SMTP_PASSWORD_FILE") else None
        )
        if server is None or sender is None:
            return None
        passwords = [each for each in (server.password, file) if each is not None]
        if len(passwords) != (0 if server.user is None else 1):
            self.faults.append(
                "SMTP_URL: a user has one password, in SMTP_PASSWORD_FILE or in the URL."
            )
        return MailSettings(server, file, sender)

    def _is_set(self, name: str) -> bool:
        return bool(self._environ.get(name))

    def _mail_server(self, name: str) -> MailServer | None:
        value = self.text(name)
        try:
            return MailServer.from_url(value) if value else None
        except ValueError:
            self.faults.append(
                f"{name} must be smtps://HOST:PORT or smtp+starttls://HOST:PORT, or "
                "smtp://HOST:PORT on this machine, with USER@ before the host if need be."
            )
            return None

    def _mailbox(self, name: str) -> str | None:
        value = self.text(name)
        try:
            return mailbox_of(value) if value else None
        except RequestRefused:
            self.faults.append(f"{name} must be one plain address, such as gateway@example.org.")
            return None

    def folder_or_none(self, name: str) -> Path | None:
        value = self._environ.get(name)
        if value is None:
            return None
        path = Path(value)
        if not path.is_dir():
            self.faults.append(f"{name}: there is no folder {path}.")
        return path

    def secret_for(self, process: Process, name: str, *only: Process) -> Path | None:
        return self.secret_file(name) if process in only else None


def _is_open(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & (S_IRWXG | S_IRWXO))


def _open_secret(name: str, path: Path) -> str:
    return f"{name}: {path} must be readable by its owner only (chmod 600)."


def _private_or_https(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or _loopback(parts.hostname)


def _private_or_encrypted(server: MailServer) -> bool:
    return server.encryption is not Encryption.NONE or _loopback(server.host)


def _loopback(host: str | None) -> bool:
    if host in (None, "", "localhost"):
        return True
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return False
