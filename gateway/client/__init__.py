"""What agencies, analysts and auditors use to speak to the gateway.

`session` is the HTTPS API. `channel` is what a sender needs of any way to the gateway: `https` and
`sftp` are two of them, and `ways` goes from one to the next. Only `line` and `sftp` need asyncssh,
and nothing here loads them by itself.
"""

from gateway.client.access import Access, Address
from gateway.client.answers import ClientError, HostKeyRefused, Refused, Unreachable
from gateway.client.channel import Channel, Kind, Received, not_here
from gateway.client.files import Progress, Upload
from gateway.client.https import Https
from gateway.client.session import LARGE, TIMEOUT, GatewayClient
from gateway.client.ways import Ways

__all__ = [
    "LARGE",
    "TIMEOUT",
    "Access",
    "Address",
    "Channel",
    "ClientError",
    "GatewayClient",
    "HostKeyRefused",
    "Https",
    "Kind",
    "Progress",
    "Received",
    "Refused",
    "Unreachable",
    "Upload",
    "Ways",
    "not_here",
]
