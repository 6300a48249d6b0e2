"""`case proof`: the proof of delivery of a case as a paper."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from daemon.build import version
from daemon.cli.faults import refuse
from daemon.cli.output import print_json
from daemon.cli.shared import as_json, printing, the_house
from daemon.clock import wall_clock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


@click.command()
@click.argument("number", metavar="N")
@click.option("--by", required=True, metavar="WHO", help="由谁 who has it made; kept in the journal and on the paper.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="写入 write it there, or to standard output (-).",
)
@click.option("--format", "form", type=click.Choice(["html", "pdf"]), help="格式 (default: as FILE ends, else html).")
@printing
def proof(number: str, by: str, out: Path | None, form: str | None) -> None:
    """送达证明 who was told what, when, and what is known of its arrival: a paper to print, seal and sign."""
    from daemon.jobs.proof import make_proof  # noqa: PLC0415 - for whoever wants a paper, not for all of `case`

    form = form or ("pdf" if out is not None and out.suffix.lower() == ".pdf" else "html")
    with the_house(writes=True) as house:
        made = make_proof(house, number, by, version(), wall_clock())
    if as_json():
        print_json(made)
        return
    paper = _paper(made, form)
    if str(out) == "-":
        sys.stdout.buffer.write(paper)
        return
    file = out or Path(f"proof-{number}.{form}")
    _write(file, paper)
    click.echo(f"已写入 written: {file}")


def _paper(made: Mapping[str, Any], form: str) -> bytes:
    from daemon.console.papers import PaperError, as_page, as_pdf  # noqa: PLC0415 - for whoever wants a paper

    if form == "html":
        return as_page(made).encode()
    try:
        return as_pdf(made)
    except PaperError as error:
        raise refuse("--format", error.fault, error.hint, code=1) from None


def _write(file: Path, paper: bytes) -> None:
    """The file appears only when it is complete, and is its owner's to read."""
    partial = file.with_name(file.name + ".partial")
    try:
        partial.touch(mode=0o600)
        partial.write_bytes(paper)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
