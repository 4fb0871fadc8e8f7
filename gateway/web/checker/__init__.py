"""/check/: the page that checks a return in the browser, so that the data never leaves it.

`make checker` builds the page (`deploy/checker`). Here `packing` makes an archive of our own
`validators` that is the same octets wherever it is made; `site` is the page as it was built, read
once and held against its own list of digests; `routes` serves it.
"""

from gateway.web.checker.routes import checker_blueprint

__all__ = ["checker_blueprint"]
