"""/v1/standards and /v1/certificate: what a sender needs to know, open to everyone."""

from typing import Any

from flask import Response

from gateway.errors import NotFound
from gateway.web.strict import Routes
from validators.errors import ValidatorsError
from validators.standard import Standard, load_standard, load_standards


def reference_blueprint(certificate: str) -> Routes:
    """The public routes."""
    routes = Routes(
        "reference", __name__, url_prefix="/v1", description="The standard and the gateway's key."
    )

    @routes.route("/certificate", methods=["GET"])
    @routes.response(200, description="The gateway's OpenPGP certificate, ASCII-armored.")
    def gateway_certificate() -> Response:
        """The certificate to encrypt submissions to."""
        return Response(certificate, content_type="application/pgp-keys")

    @routes.route("/standards", methods=["GET"])
    @routes.response(200, description="Versions of the standard that are accepted.")
    def standards() -> Any:
        """The accepted versions."""
        return {"standard": "CTDS", "versions": list(load_standards())}

    @routes.route("/standards/<version>", methods=["GET"])
    @routes.response(200, description="The standard as data.")
    def standard(version: str) -> Any:
        """Record types, fields and rules of one version."""
        return _described(_load(version))

    @routes.route("/standards/<version>/codelists/<code>", methods=["GET"])
    @routes.response(200, description="A code list.")
    def codelist(version: str, code: str) -> Any:
        """One code list of one version."""
        found = _load(version).codelists.get(code)
        if found is None:
            raise NotFound("code list")
        return {"code": found.code, "title": found.title, "items": dict(found.items)}

    return routes


def _load(version: str) -> Standard:
    try:
        return load_standard(version)
    except ValidatorsError as error:
        raise NotFound("version of the standard") from error


def _described(standard: Standard) -> dict[str, Any]:
    return {
        "standard": standard.name,
        "version": standard.version,
        "codelists": sorted(standard.codelists),
        "records": {
            code: {
                "title": record.title,
                "purpose": record.purpose,
                "fields": [
                    {
                        "name": field.name,
                        "type": field.type,
                        "required": field.required,
                        "values": field.values,
                        "privacy": field.privacy,
                        "note": field.note,
                        "codelists": list(field.codelists),
                    }
                    for field in record.fields
                ],
            }
            for code, record in standard.records.items()
        },
        "rules": {
            code: {
                "severity": rule.severity,
                "level": rule.level,
                "applies": rule.applies,
                "test": rule.test,
                "message": rule.message,
                "mend": rule.mend,
            }
            for code, rule in standard.rules.items()
        },
    }
