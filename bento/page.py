"""The pages of the service: one to try the model, at ``/``, and the OpenAPI page, at ``/docs``.

Both need this service only: no other host, no network. They hold nothing secret; the calls that they make need a token
where the service has tokens.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from bento.errors import RequestError

PROTECTION = {"referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}  # response headers of both pages


def add_pages(app: FastAPI) -> None:
    """Adds the routes of both pages to the application."""

    @app.get("/", include_in_schema=False)
    async def try_it(request: Request) -> Response:
        if not request.app.state.predictor.settings.page:
            raise RequestError("NOT_FOUND", "there is no such path; see /docs")
        html, policy = read_page()
        return HTMLResponse(
            html,
            headers={
                "cache-control": "no-cache",  # the next version of the service may have another page
                "content-security-policy": policy,
                **PROTECTION,
            },
        )

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        page = get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=app.title,
            swagger_js_url="/docs/swagger-ui-bundle.js",
            swagger_css_url="/docs/swagger-ui.css",
            swagger_favicon_url="/docs/favicon.png",
        )
        # no more than that: the page has an inline script, which changes with FastAPI's version
        page.headers.update({"content-security-policy": "frame-ancestors 'none'", **PROTECTION})
        return page

    # finds the package without importing it; the table of routes names the files that are served
    app.mount("/docs", StaticFiles(packages=[("fastapi_offline", "static")]))


@cache
def read_page() -> tuple[str, str]:
    """Reads the page once; returns its HTML and its Content-Security-Policy.

    The policy allows the page's own script and style by their hashes, calls to this service, and nothing else. A review
    can never become a script: ``require-trusted-types-for`` also refuses ``innerHTML``.
    """
    html = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    parts = (
        "default-src 'none'",
        f"script-src {_hash(html, 'script')}",
        f"style-src {_hash(html, 'style')}",
        "img-src data:",  # the icon
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
    return html, "; ".join(parts)


def _hash(html: str, tag: str) -> str:
    """Returns the hash of an inline element, as a Content-Security-Policy writes it (W3C CSP3, 2.3.1)."""
    (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, flags=re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
