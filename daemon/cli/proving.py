"""`case proof`: the proof of delivery of a case as a paper."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from daemon.build import version
from daemon.cli.faults import FAILED, WRONG, refuse
from daemon.cli.naming import the_case
from daemon.cli.output import print_json, say
from daemon.cli.shared import as_json, printing, the_house
from daemon.cli.written import is_replaced
from daemon.clock import wall_clock
from daemon.problems import either

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FORMS = {".html": "html", ".htm": "html", ".pdf": "pdf"}
"""What a paper is written as, by the ending of its file."""


@click.command()
@click.argument("number", metavar="N")
@click.option("--by", required=True, metavar="WHO", help="Who has it made; kept in the journal and on the paper.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it there: .html, .pdf, or - for standard output.",
)
@click.option("--format", "form", type=click.Choice(["html", "pdf"]), help="What to write (default: as FILE ends).")
@printing
def proof(number: str, by: str, out: Path | None, form: str | None) -> None:
    """Write a proof of delivery: who was told what, when, and what is known of its arrival; to print, seal and sign.

    That it was made is in the case's journal only if the paper could be written.
    """
    from daemon.jobs.proof import make_proof  # noqa: PLC0415 - for whoever wants a paper, not for all of `case`

    form = _form(out, form)
    with the_house(writes=True) as house:
        number, now = the_case(house, number), wall_clock()
        if as_json():
            print_json(make_proof(house, number, by, version(), now))
            return
        if str(out) == "-":
            make_proof(house, number, by, version(), now, lambda made: _pass_on(_paper(made, form)))
            return
        file = out or Path(f"proof-{number}.{form}")
        written = file.with_name(file.name + ".partial") if is_replaced(file) else file
        try:
            make_proof(house, number, by, version(), now, lambda made: _write(written, made, form))
            if written != file:
                written.replace(file)
        finally:
            if written != file:
                written.unlink(missing_ok=True)
    say(f"已写入：{file}", f"written: {file}")


def _form(out: Path | None, form: str | None) -> str:
    """Return what to write, by the ending of the file; refuse an ending nothing is written for, or another's."""
    ending = "" if out is None else out.suffix.lower()
    of_ending = FORMS.get(ending)
    if ending and of_ending is None:
        raise refuse("--out", f'nothing is written as "{ending}"', f"end the file in {either(FORMS)}")
    is_named = out is not None and out.name != "-" and (out.is_file() or not out.exists())  # a device has no ending
    if is_named and not ending and form is None:
        raise refuse("--out", "does not say what is to be written", f"end the file in {either(FORMS)}")
    if form and of_ending and form != of_ending:
        raise refuse("--format", f"{form} does not go with a file that ends in {ending}", "leave --format out")
    return of_ending or form or "html"


def _pass_on(paper: bytes) -> None:
    """Write the paper to standard output."""
    sys.stdout.buffer.write(paper)
    sys.stdout.buffer.flush()


def _write(file: Path, made: Mapping[str, Any], form: str) -> None:
    """Write the paper, its owner's to read."""
    paper = _paper(made, form)
    try:
        file.touch(mode=0o600)
        file.write_bytes(paper)
    except OSError as error:
        hint = "name a file in a folder that exists and may be written to"
        code = FAILED if file.absolute().parent.is_dir() else WRONG
        raise refuse("--out", f"cannot be written: {error.strerror or error}", hint, code=code) from None


def _paper(made: Mapping[str, Any], form: str) -> bytes:
    from daemon.console.papers import PaperError, as_page, as_pdf  # noqa: PLC0415 - for whoever wants a paper

    if form == "html":
        return as_page(made).encode()
    try:
        return as_pdf(made)
    except PaperError as error:
        raise refuse("--format pdf", error.fault, error.hint, code=1) from None
