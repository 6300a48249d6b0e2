"""The one page a recipient sees: a case number, what its buttons do, a form; no script, nothing loaded."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

Said = tuple[str, str]
"""The same in 中文 and in English, in this order."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button that posts one field with its value, or nothing; a second one beside it is paler."""

    words: Said
    name: str = ""
    value: str = ""
    second: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """The form that says what was done: what may be chosen, and what was typed when it was refused."""

    title: Said
    choices: Sequence[tuple[str, Said]]
    submit: Said
    longest: int
    first_day: str
    last_day: str
    chosen: str = ""
    note: str = ""
    back_on: str = ""
    refused: Said | None = None
    """Why what was typed is not kept."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one page says; carries no name, no school and no reason: whoever holds the phone may read it."""

    title: Said
    words: Sequence[Said] = ()
    number: str | None = None
    """The case's."""
    buttons: Sequence[Button] = ()
    form: Form | None = None
    facts: Sequence[tuple[Said, str]] = ()
    """What it is about, line by line."""
    status: int = 200

    @property
    def asks(self) -> bool:
        """Return whether there is anything to press."""
        return bool(self.buttons) or self.form is not None

    def with_status(self, status: int) -> Page:
        """The same words under another HTTP status."""
        return replace(self, status=status)

    @classmethod
    def nothing_here(cls) -> Page:
        """For an address that was not made here, and for one whose case nobody knows."""
        words = ("请核对短信或邮件中的完整链接。", "Please check that the link from the message is complete.")
        return cls(("此链接无效", "This link leads nowhere"), (words,), status=404)

    @classmethod
    def too_much(cls) -> Page:
        """For a form with more in it than any browser sends."""
        words = ("提交的内容过长，没有记录。", "More was sent than this form holds; nothing was kept.")
        return cls(("内容过长", "Too much"), (words,), status=413)

    @classmethod
    def broken(cls) -> Page:
        """For a failure of ours."""
        words = ("系统暂时无法处理，请稍后再试。", "Something failed on our side. Please try again in a while.")
        return cls(("暂时无法处理", "Not now"), (words,), status=500)


def render(page: Page) -> str:
    """The page as HTML."""
    return _environment().get_template("page.html.j2").render(page=page, style=Markup(style()))  # noqa: S704 - our own


@cache
def style() -> str:
    """The style sheet, which stands in the page itself."""
    return resources.files("templates").joinpath("console", "page.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("templates", "console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _policy(),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
"""On every answer."""
