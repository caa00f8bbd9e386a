"""Shared fixtures, and what happens when a server is absent: its tests are deselected and counted on the last line.

With FEEDERFLOW_REQUIRE_SERVERS=1 an absent server is an error instead.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from hypothesis import settings

from pipeline.store.lake import Lake
from pipeline.store.warehouse import Warehouse

settings.register_profile("feederflow", deadline=None, max_examples=50, derandomize=True, database=None)
settings.load_profile("feederflow")

OWN_VARIABLES = ("FEEDERFLOW_WAREHOUSE_URL", "FEEDERFLOW_FAULT_POINT", "FEEDERFLOW_HOME", "FEEDERFLOW_CASES")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
_deselected: Counter[str] = Counter()


# ---------------------------------------------------------------------- servers


def postgres_url() -> str | None:
    """Address of a PostgreSQL server that answers, or None."""
    given = os.environ.get("FEEDERFLOW_TEST_POSTGRES_URL")
    candidates = [given] if given else [f"postgresql+psycopg://{user}@localhost/{user}" for user in ("postgres", "feederflow")]
    for url in candidates:
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool, connect_args={"connect_timeout": 2})
        try:
            with engine.connect():
                return url
        except sa.exc.OperationalError:
            continue
    return None


def redis_answers() -> bool:
    address = urlsplit(os.environ.get("FEEDERFLOW_TEST_REDIS_URL", "redis://127.0.0.1:6379/0"))
    try:
        with socket.create_connection((address.hostname or "127.0.0.1", address.port or 6379), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def chromium_path() -> str | None:
    return os.environ.get("FEEDERFLOW_TEST_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def _study_data() -> bool:
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("FEEDERFLOW_STUDY_DATA") or beside).is_dir()


_STATUS = pytest.StashKey[int]()
SERVERS: dict[str, Callable[[], object]] = {"postgresql": postgres_url, "redis": redis_answers, "chromium": chromium_path}
DATA: dict[str, Callable[[], object]] = {"study_data": _study_data}  # not ours to install, so never required


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    marks = {mark for item in items for mark in (*SERVERS, *DATA) if item.get_closest_marker(mark)}
    absent = {mark for mark in marks if not {**SERVERS, **DATA}[mark]()}
    required = sorted(absent & set(SERVERS))
    if required and os.environ.get("FEEDERFLOW_REQUIRE_SERVERS") == "1":
        raise pytest.UsageError(f"FEEDERFLOW_REQUIRE_SERVERS=1, and there is no {', no '.join(required)}")
    kept, dropped = [], []
    for item in items:
        missing = sorted(mark for mark in absent if item.get_closest_marker(mark))
        if missing:
            _deselected[missing[0]] += 1
            dropped.append(item)
        else:
            kept.append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_STATUS] = int(exitstatus)
    if hasattr(session.config, "workeroutput"):  # one of several processes: the one that reports collects nothing itself
        session.config.workeroutput["deselected"] = dict(_deselected)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Every process collects all tests, so each counts the same."""
    for mark, count in getattr(node, "workeroutput", {}).get("deselected", {}).items():
        _deselected[mark] = max(_deselected[mark], count)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line, after pytest's own; then leave as the command line does, whose docstring says why (`pipeline.cli.console`)."""
    _last_line(config)
    if _STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_STATUS])


def _last_line(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and _deselected:
        kinds = (("servers", SERVERS), ("data", DATA))
        counts = {kind: ", ".join(f"{_deselected[mark]} {mark}" for mark in marks if _deselected[mark]) for kind, marks in kinds}
        reporter.write_line("deselected for absent " + "; for absent ".join(f"{kind}: {said}" for kind, said in counts.items() if said))


# ---------------------------------------------------------------------- fixtures


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the warehouse or home of the person who runs it."""
    for name in OWN_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def lake(home: Path) -> Lake:
    return Lake(home)


@pytest.fixture(scope="session")
def default_histories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that holds the default case's histories of 2016 and nothing else; to be copied, never written."""
    from pipeline.stages.ingesting import ingest_sources

    home = tmp_path_factory.mktemp("histories")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEEDERFLOW_HOME", str(home))
        for name in ("FEEDERFLOW_WAREHOUSE_URL", "FEEDERFLOW_CASES"):
            patch.delenv(name, raising=False)
        ingest_sources("networked_microgrids_66_simbench")
    return home


@pytest.fixture(scope="session")
def postgres_server() -> str:
    url = postgres_url()
    assert url is not None, "tests marked `postgresql` are deselected without a server"
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def warehouse_url(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str | None]:
    """Both kinds of warehouse in turn: None for SQLite in `home`, else the address of a PostgreSQL schema of the test's own.

    The environment names it, so that whatever opens `home` opens this warehouse, child processes too.
    """
    if request.param == "sqlite":
        yield None
        return
    server = sa.make_url(request.getfixturevalue("postgres_server"))
    schema = f"test_{uuid.uuid4().hex[:16]}"
    engine = sa.create_engine(server, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    url = server.update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)
    monkeypatch.setenv("FEEDERFLOW_WAREHOUSE_URL", url)
    yield url
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def warehouse(warehouse_url: str | None, home: Path) -> Iterator[Warehouse]:
    """An empty warehouse, on SQLite and on PostgreSQL."""
    opened = Warehouse.open(home)
    yield opened
    opened.close()
