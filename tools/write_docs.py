"""Writes the generated pages. `python tools/write_docs.py` from the project's folder; `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import case_page
import models_page

from pipeline.tables import dictionary


def main() -> None:
    dictionary.TARGET.write_text(dictionary.dictionary())
    case_page.TARGET.write_text(case_page.page())
    models_page.TARGET.write_text(models_page.page(models_page.catalogue()))


if __name__ == "__main__":
    main()
