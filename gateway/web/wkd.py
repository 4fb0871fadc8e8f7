"""Web Key Directory, so that `gpg --locate-keys` finds the gateway's certificate.

draft-koch-openpgp-webkey-service section 3.1, direct and advanced method; 3.5: the policy file.
"""

from flask import Blueprint, Response, abort

from crypto import wkd_hash

ROOT = "/.well-known/openpgpkey"


def wkd_blueprint(local_part: str, domain: str, certificate: bytes) -> Blueprint:
    """Serve one certificate, in binary, for one address."""
    routes = Blueprint("wkd", __name__)
    expected = wkd_hash(local_part)

    def serve(digest: str) -> Response:
        if digest != expected:
            abort(404)
        return Response(certificate, content_type="application/octet-stream")

    @routes.get(f"{ROOT}/hu/<digest>")
    def direct(digest: str) -> Response:
        return serve(digest)

    @routes.get(f"{ROOT}/{domain}/hu/<digest>")
    def advanced(digest: str) -> Response:
        return serve(digest)

    @routes.get(f"{ROOT}/policy")
    @routes.get(f"{ROOT}/{domain}/policy")
    def policy() -> Response:
        return Response(b"", content_type="text/plain")

    return routes
