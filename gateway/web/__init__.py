"""The HTTPS face of the gateway: API v1, Web Key Directory, health."""

from gateway.web.application import create_app

__all__ = ["create_app"]
