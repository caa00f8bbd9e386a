"""Airflow with its page on this machine, in one process group: stopping this stops all of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from airflow_env import airflow_environment


def main() -> int:
    environment = {**os.environ, **airflow_environment()}
    # `airflow standalone` starts plain `airflow`, so the venv's bin must come first on the PATH.
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    sys.stdout.write(
        "Airflow starts on http://localhost:8080 (about 30 s); user admin, password in "
        f"{environment['AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE']}. Stop with Ctrl-C.\n"
    )
    sys.stdout.flush()
    process = subprocess.Popen(["airflow", "standalone"], env=environment, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return process.wait()
    except (KeyboardInterrupt, SystemExit):
        return 0
    finally:
        # Stopping only the parent would leave its children running.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)


if __name__ == "__main__":
    sys.exit(main())
