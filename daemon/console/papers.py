"""A proof of delivery as a paper: a page to print, whole in itself, or a PDF; knows the document and nothing else."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import sys
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import ModuleType
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from daemon.desk.deeds import DONE
from daemon.jobs.entries import ENTRIES
from daemon.jobs.proof import ANSWERS, DOUBTS

Document = Mapping[str, Any]

FONTS = ("Noto Serif CJK SC", "Source Han Serif SC", "Noto Sans CJK SC", "Source Han Sans SC", "SimSun", "SimHei")
"""Fonts with Chinese in them, the best for a paper first."""
_KINDS = {
    "acknowledged": ("签收", "acknowledged"),
    "acknowledgement lapsed": ("签收失效", "acknowledgement lapsed"),
    "acknowledgement recalled": ("催办签收", "reminded of it"),
    "confirmed": ("核实", "confirmed by hand"),
    DONE: ("登记处置", "said what was done"),
}
_WAYS = {"asked": ("查询", "asked"), "pushed": ("推送", "pushed")}
_STATUSES = {"delivered": ("送达", "arrived"), "failed": ("未送达", "did not arrive"), "delayed": ("延迟", "delayed")}


class PaperError(Exception):
    """A PDF cannot be made on this machine; says what it lacks and what to do."""

    def __init__(self, fault: str, hint: str) -> None:
        super().__init__(fault)
        self.fault = fault
        self.hint = hint


def as_page(proof: Document) -> str:
    """The proof as one HTML page that loads nothing, laid out to be printed on A4."""
    return _environment().get_template("page.html.j2").render(proof=proof, **_words(), style=Markup(_style()))  # noqa: S704 - our own


def as_pdf(proof: Document) -> bytes:
    """The proof as a PDF; PaperError where the typesetter or a Chinese font is missing."""
    typst = _typesetter()
    families = set(typst.Fonts().families())
    known = [one for one in FONTS if one in families]
    if not known:
        hint = "install fonts-noto-cjk, or write .html and print that"
        raise PaperError("no font on this machine has Chinese in it", hint)
    source = resources.files("templates").joinpath("proof", "proof.typ").read_bytes()
    given = {"proof": json.dumps(proof), "words": json.dumps(_words()), "fonts": json.dumps(known)}
    made: bytes = typst.compile(source, format="pdf", sys_inputs=given)
    return made


def _typesetter() -> ModuleType:
    try:
        return importlib.import_module("typst")
    except ModuleNotFoundError:
        raise PaperError("the typesetter for PDFs is not installed", _how_to_install()) from None


def _how_to_install() -> str:
    """Return the command that installs what is missing, at the version and with the hashes of the lock file."""
    pip = f"{sys.executable} -m pip install --require-hashes -r requirements-pdf.lock"
    return f"where requirements-pdf.lock is, in the manual or the sources: {pip}; or write .html and print that"


def _words() -> dict[str, Any]:
    assert set(_KINDS) <= ANSWERS
    return {
        "doubts": DOUBTS,
        "answers": _KINDS,
        "ways": _WAYS,
        "statuses": _STATUSES,
        "entries": {kind: words[0] for kind, words in ENTRIES.items()},
    }


@cache
def _style() -> str:
    return resources.files("templates").joinpath("proof", "page.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("templates", "proof"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["second"] = second
    return found


def second(instant: str | None) -> str:
    """An instant of the document to the second, as it was where the schools are; a dash where there is none."""
    return f"{dt.datetime.fromisoformat(instant):%Y-%m-%d %H:%M:%S}" if instant else "—"
