"""The web application: a list of published days, and each day's report. Nobody reads it without signing in to Airflow.

No `from __future__ import annotations` here: FastAPI must see the dependency itself, not its name.
"""

import html
import json
import os
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends, FastAPI, HTTPException
from fastapi import Path as UrlPart
from fastapi.responses import FileResponse, HTMLResponse

Name = Annotated[str, UrlPart(pattern=r"^[a-z0-9][a-z0-9_]*(~[a-z0-9_]+)?$", max_length=130)]
Day = Annotated[str, UrlPart(pattern=r"^\d{4}-\d{2}-\d{2}$")]
# A report runs its own scripts, but as a stranger: it can reach neither Airflow's pages nor its cookies.
REPORT_HEADERS = {
    "Content-Security-Policy": "sandbox allow-scripts allow-downloads allow-modals",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

STYLE = """body{font:16px/1.5 system-ui,sans-serif;color:#1b2733;background:#f4f6f8;margin:0;padding:24px}
main{max-width:960px;margin:0 auto}table{border-collapse:collapse;width:100%;background:#fff;border:1px solid #dfe5ea}
th,td{text-align:left;padding:8px 12px;border-bottom:1px solid #dfe5ea}
.done{color:#00694e;font-weight:650}.degraded{color:#8a4b00;font-weight:650}a{color:#005a8f}code{font-size:.92em}"""


def signed_in(user: GetUserDep) -> None:
    """Airflow answers 401 by itself where nobody is signed in."""


def home() -> Path:
    return Path(os.environ.get("FEEDERFLOW_HOME", ".feederflow")).expanduser().resolve()


def report_file(case: str, variant: str, day: str) -> Path:
    return home() / "reports" / case / variant / f"{day}.html"


def published_days() -> list[dict[str, Any]]:
    """Every published day, newest first, from the `_current.json` files; one that cannot be read is listed as such."""
    found = []
    for path in sorted((home() / "published" / "_current").glob("case=*/variant=*/delivery_date=*/_current.json")):
        case, variant, day = (part.partition("=")[2] for part in path.parts[-4:-1])
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            content = {"status": "unreadable"}
        runs = {product: entry.get("run_id", "") for product, entry in content.get("runs", {}).items()}
        found.append(
            {
                "case": case,
                "variant": variant,
                "day": day,
                "status": str(content.get("status", "")),
                "runs": runs,
                "report": report_file(case, variant, day).is_file(),
            }
        )
    return sorted(found, key=lambda row: (row["day"], row["case"], row["variant"]), reverse=True)


def list_page(rows: list[dict[str, Any]]) -> str:
    body = (
        "".join(_list_row(row) for row in rows)
        or '<tr><td colspan="5">Nothing is published yet. Run the DAG <code>day_ahead</code>.</td></tr>'
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Delivery day", "Case", "Variant", "Status", "Runs"))
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Schedules</title><style>{STYLE}</style></head>'
        f"<body><main><h1>Published schedules</h1><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></main></body></html>"
    )


def _list_row(row: dict[str, Any]) -> str:
    case, variant, day, status = (html.escape(str(row[name])) for name in ("case", "variant", "day", "status"))
    link = f'<a href="report/{case}/{variant}/{day}">{day}</a>' if row["report"] else f"{day} (no report yet)"
    runs = "<br>".join(
        f"{html.escape(product.replace('_', ' '))}: <code>{html.escape(run)}</code>" for product, run in sorted(row["runs"].items())
    )
    kind = status if status in ("done", "degraded") else ""
    return f'<tr><td>{link}</td><td><code>{case}</code></td><td>{variant}</td><td class="{kind}">{status}</td><td>{runs}</td></tr>'


@cache
def application() -> FastAPI:
    """Every route asks for a signed-in user; the automatic documentation, which would not, is off."""
    app = FastAPI(title="feederflow reports", dependencies=[Depends(signed_in)], docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    def index() -> HTMLResponse:
        return HTMLResponse(list_page(published_days()))

    @app.get("/report/{case}/{variant}/{day}")
    def report(case: Name, variant: Name, day: Day) -> FileResponse:
        path = report_file(case, variant, day)
        if not path.is_file():
            raise HTTPException(
                status_code=404, detail=f"no report of {case}, {variant}, {day}; `feederflow report {case} --date {day}` writes it"
            )
        return FileResponse(path, media_type="text/html", headers=REPORT_HEADERS)

    return app
