"""What agencies, analysts and auditors use to speak to the gateway over HTTPS."""

from gateway.client.answers import ClientError, Refused, Unreachable
from gateway.client.files import Progress, Upload
from gateway.client.session import LARGE, TIMEOUT, GatewayClient

__all__ = [
    "LARGE",
    "TIMEOUT",
    "ClientError",
    "GatewayClient",
    "Progress",
    "Refused",
    "Unreachable",
    "Upload",
]
