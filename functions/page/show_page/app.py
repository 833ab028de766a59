"""Show workflows, tasks and attempts in a browser."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

from lockstep.http.endpoint import endpoint
from lockstep.http.reply import HtmlPage

_HTML: Final = Path(__file__).with_name("page.html").read_text(encoding="utf-8")


def _hash(element: str) -> str:
    """The content of the page's only element of a name, as a Content-Security-Policy names it."""
    [content] = re.findall(rf"<{element}\b[^>]*>(.*?)</{element}>", _HTML, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


_POLICY: Final = (
    "default-src 'none'",
    f"script-src {_hash('script')}",
    f"style-src {_hash('style')}",
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
_PAGE: Final = HtmlPage(
    _HTML,
    {
        "Content-Security-Policy": "; ".join(_POLICY),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-cache",
    },
)


@endpoint("show_page")
def lambda_handler() -> HtmlPage:
    """Return the page's document. The reading routes fill it; it holds no data and loads nothing from elsewhere."""
    return _PAGE
