"""docker-compose.yml: its services, and that no secret is committed. Docker itself is not asked: it needs no engine to be wrong."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import pytest
import write_secrets
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(TEXT)
    return found


def test_every_part_of_airflow_with_celery_is_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {
        "postgres", "redis", "init", "api-server", "scheduler", "dag-processor", "triggerer", "worker-1", "worker-2"}
    workers = [service for name, service in compose["services"].items() if name.startswith("worker")]
    assert all(service["command"][:3] == ["airflow", "celery", "worker"] for service in workers)
    assert all(service["environment"]["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor" for service in workers)


def test_what_a_service_waits_for_exists(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in services[other]


def test_the_warehouse_is_a_database_of_its_own(compose: dict[str, Any]) -> None:
    environment = compose["services"]["worker-1"]["environment"]
    assert environment["FEEDERFLOW_WAREHOUSE_URL"].endswith("@postgres/feederflow")
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].endswith("@postgres/airflow")
    assert compose["services"]["postgres"]["environment"]["POSTGRES_DB"] == "airflow"
    assert "CREATE DATABASE feederflow" in compose["configs"]["warehouse"]["content"]


def test_a_secret_comes_from_the_environment_and_has_no_default() -> None:
    asked = re.findall(r"\$\{([^}]*)\}", TEXT)
    assert asked and all(":?" in one for one in asked)
    assert {one.split(":?")[0] for one in asked} == set(write_secrets.fresh_secrets())
    secret = re.compile(r"^\s*\S*(PASSWORD|SECRET|KEY):\s*(?!\$\{)\S", flags=re.MULTILINE)
    assert secret.search(TEXT) is None


def test_secrets_are_written_once_and_for_their_owner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / ".env"
    write_secrets.main(target)
    written = target.read_text()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert all(re.fullmatch(r"[A-Z_]+=[A-Za-z0-9_=-]{16,}", line) for line in written.splitlines())
    write_secrets.main(target)
    assert target.read_text() == written
    assert "stays" in capsys.readouterr().out


def test_the_file_of_secrets_is_ignored() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines(), (ROOT / ".dockerignore").read_text().splitlines()
    assert all(".env" in lines for lines in ignored)
