"""Puts the page into Airflow's menu. Imported in every Airflow process, so the web application is built on the first request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from airflow.plugins_manager import AirflowPlugin

PREFIX = "/feederflow"
Message = MutableMapping[str, Any]


class LazyPage:
    """An ASGI application that imports its pages when the first request comes."""

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        from schedule_page.pages import application  # Airflow puts the plugins folder on the path

        await application()(scope, receive, send)


class SchedulePagePlugin(AirflowPlugin):  # type: ignore[misc]  # Airflow ships no types
    name = "schedule_page"
    fastapi_apps = ({"app": LazyPage(), "url_prefix": PREFIX, "name": "feederflow reports"},)
    external_views = [  # noqa: RUF012  # Airflow takes items out of it, so a tuple will not do
        {"name": "Schedules", "href": f"{PREFIX}/", "destination": "nav", "category": "browse", "url_route": "feederflow_schedules"}
    ]
