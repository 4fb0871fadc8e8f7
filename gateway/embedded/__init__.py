"""Real servers for one machine, without containers: PostgreSQL and an S3 store as child processes.

    with EmbeddedServers(Path(".gateway")) as servers:
        settings = Settings.load({**os.environ, **servers.environ()}, Process.WEB)

Everything is under the one folder and on loopback only, closed to other users of the machine, and
ends with the process that started it. For evaluation, demonstration, tests and small installations.
"""

from gateway.embedded.errors import EmbeddedError
from gateway.embedded.objects import EmbeddedObjects
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.servers import EmbeddedServers

__all__ = ["EmbeddedError", "EmbeddedObjects", "EmbeddedPostgres", "EmbeddedServers"]
