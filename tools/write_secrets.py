"""Random secrets for docker-compose.yml into `.env`, once. An existing file is left as it is."""

from __future__ import annotations

import base64
import secrets
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / ".env"


def fresh_secrets() -> dict[str, str]:
    """One value per variable that docker-compose.yml asks for. A database password of letters, digits, - and _ may stand in an address."""
    return {
        "POSTGRES_PASSWORD": secrets.token_urlsafe(24),
        "AIRFLOW_FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW_JWT_SECRET": secrets.token_urlsafe(64),
        "AIRFLOW_ADMIN_PASSWORD": secrets.token_urlsafe(12),
    }


def main(target: Path = TARGET) -> None:
    if target.exists():
        sys.stdout.write(f"{target} is there already and stays.\n")
        return
    target.touch(mode=0o600)
    target.write_text("".join(f"{name}={value}\n" for name, value in fresh_secrets().items()))
    sys.stdout.write(f"Secrets are in {target}.\n")


if __name__ == "__main__":
    main()
