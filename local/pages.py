"""The gateway's own page: Swagger UI with the API's document. The browser loads nothing from other hosts."""

from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

DOCUMENT_PATH: Final = "/openapi.json"
PAGE_PATH: Final = "/docs"

_PAGE: Final = f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Lockstep</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{PAGE_PATH}/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{PAGE_PATH}/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({{url: "{DOCUMENT_PATH}", dom_id: "#swagger-ui", validatorUrl: null}})</script>
</body>
</html>
"""
_PARTS: Final = {
    f"{PAGE_PATH}/swagger-ui.css": "text/css; charset=utf-8",
    f"{PAGE_PATH}/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}


def to_open(url: str) -> tuple[str, ...]:
    """Return a line for each page that a system at this URL has for people."""
    return (f"Workflows, in a browser: {url}/", f"All routes, to try out in a browser: {url}{PAGE_PATH}")


class Page(NamedTuple):
    """A file for the browser."""

    media_type: str
    content: bytes


@cache
def page(path: str) -> Page | None:
    """Return the file at a path; None for an unknown path. Only listed files are read, whatever the path."""
    if path == PAGE_PATH:
        return Page("text/html; charset=utf-8", _PAGE.encode())
    for part, media_type in _PARTS.items():
        if part == path:
            return Page(media_type, (files("swagger_ui") / "static" / part.rpartition("/")[2]).read_bytes())
    return None
