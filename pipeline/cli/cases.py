"""Commands about cases: new, list, show, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.shared import CaseArgument, JsonOption, VariantOption, json_out, line

app = typer.Typer(no_args_is_help=True, help="Cases: new, list, show, check.")


@app.command("list")
def list_all(as_json: JsonOption = False) -> None:
    """Every case that is found, with its variants."""
    from pipeline.cases.load import list_cases, variants

    found = {name: list(variants(name)) for name in list_cases()}
    if as_json:
        json_out(found)
    else:
        line("\n".join(f"{name}  ({', '.join(names)})" for name, names in found.items()))


@app.command("check")
def check(case: CaseArgument, variant: VariantOption = None, as_json: JsonOption = False) -> None:
    """Report every mistake of a case and its variants at once, with file and line, and what its program refuses of its settings."""
    from pipeline.cases.load import load_case, variants
    from pipeline.core.errors import InputError
    from pipeline.stages import case_mistakes

    mistakes = case_mistakes(case, variant=variant)
    if mistakes:
        raise InputError(mistakes)
    names = [variant] if variant else list(variants(case))
    loaded = load_case(case, variant=names[0])
    if as_json:
        json_out({"case": loaded.name, "variants": names, "mistakes": []})
    else:
        line(f"{loaded.name}: good ({len(loaded.buses)} buses, {len(loaded.devices)} devices; variants {', '.join(names)})")


@app.command("show")
def show(case: CaseArgument, variant: VariantOption = None, as_json: JsonOption = False) -> None:
    """What a case holds."""
    from pipeline.cases.load import load_case
    from pipeline.cases.summary import describe, summary

    loaded = load_case(case, variant=variant)
    if as_json:
        json_out(summary(loaded))
    else:
        line(describe(loaded))


@app.command("new")
def new(folder: Annotated[Path, typer.Argument(help="folder to make; its name becomes the case's")]) -> None:
    """Write a commented skeleton case that runs."""
    from pipeline.cases.skeleton import new_case

    for path in new_case(folder):
        line(str(path))
    line(f"Now: feederflow case check {folder} && feederflow run {folder}")
