"""Both embedded servers under one data folder, as one context manager.

For `gateway serve`, the demo and the tests. The servers end with the block, and with this process
however it ends. What they keep is found again at the next start on the same folder.
"""

from pathlib import Path

from gateway.embedded.errors import FolderNotOurs
from gateway.embedded.objects import EmbeddedObjects
from gateway.embedded.postgres import EmbeddedPostgres


class EmbeddedServers:
    """PostgreSQL in `folder`/postgres and an S3 store in `folder`/objects."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.postgres = EmbeddedPostgres(self.folder / "postgres")
        self.objects = EmbeddedObjects(self.folder / "objects")

    def start(self) -> None:
        """Start both, the one while the other is starting. Raise EmbeddedError, leaving neither."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.objects.launch()
            self.postgres.start()
            self.objects.await_answer()
        except PermissionError as error:
            self.stop()
            raise FolderNotOurs(self.folder) from error
        except BaseException:  # Ctrl-C while starting must leave nothing running either
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both; return when nothing of them runs."""
        try:
            self.postgres.stop()
        finally:
            self.objects.stop()

    def environ(self) -> dict[str, str]:
        """The settings that point the gateway at these servers."""
        return {
            "DATABASE_URL": self.postgres.url,
            "S3_ENDPOINT_URL": self.objects.endpoint_url,
            "S3_ACCESS_KEY_ID": self.objects.access_key,
            "S3_SECRET_ACCESS_KEY": self.objects.secret_key,
            "S3_REGION": self.objects.region,
        }

    def __enter__(self) -> "EmbeddedServers":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
