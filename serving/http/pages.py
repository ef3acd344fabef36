"""The interactive description at /docs: Swagger UI, from files that are installed beside us."""

from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

router = APIRouter(include_in_schema=False)

_FILES = Path(fastapi_offline.__file__).with_name("static")
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'"
)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Show the page."""
    root = request.scope.get("root_path", "")
    page = get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title="Narrascope",
        swagger_js_url=f"{root}/docs/swagger-ui.js",
        swagger_css_url=f"{root}/docs/swagger-ui.css",
        swagger_favicon_url="data:,",
    )
    page.headers["Content-Security-Policy"] = _POLICY
    return page


@router.get("/docs/swagger-ui.js")
async def script() -> FileResponse:
    """Send Swagger UI."""
    return FileResponse(_FILES / "swagger-ui-bundle.js", media_type="text/javascript")


@router.get("/docs/swagger-ui.css")
async def style() -> FileResponse:
    """Send Swagger UI's style."""
    return FileResponse(_FILES / "swagger-ui.css", media_type="text/css")
