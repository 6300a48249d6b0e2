"""The operator's own templates: which files of a folder stand in for which of those that ship, and what they say."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from notifiers.provider import providers

_OF_EDITORS = (".", "~$")
"""So begin names that are no templates: hidden files, versions of mounted volumes, locks of editors and of Office."""
_OF_PROVIDER = re.compile(r"([a-z]+)/([a-z0-9_]+)/([a-z_]+\.[a-z]+\.txt\.j2)")


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """What is wrong with one template: where, what, and what might help."""

    template: str
    line: int | None
    fault: str
    hint: str | None = None

    def __str__(self) -> str:
        place = self.template if self.line is None else f"{self.template}:{self.line}"
        return f"{place}  {self.fault}" + (f" – {self.hint}" if self.hint else "")


def provider_of(name: str) -> tuple[str, str] | None:
    """Channel and provider of a template for one provider only, `sms/gammu/report.zh.txt.j2`; None for any other."""
    found = _OF_PROVIDER.fullmatch(name)
    return (found[1], found[2]) if found else None


def read_own(folder: Path, shipped: Collection[str]) -> tuple[dict[str, str], tuple[TemplateProblem, ...]]:
    """The texts of the operator's templates by name, and those that cannot be read."""
    texts: dict[str, str] = {}
    unread = []
    for name in [*shipped, *(name for name in _names(folder) if _replaced(name) in shipped)]:
        try:
            texts[name] = (folder / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            unread.append(TemplateProblem(name, None, "is not UTF-8 text", "save the file as UTF-8"))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            unread.append(TemplateProblem(name, None, f"cannot be read: {error.strerror}", "let the daemon read it"))
    return texts, tuple(unread)


def replacing_nothing(folder: Path, shipped: Collection[str]) -> Iterator[TemplateProblem]:
    """Files of the operator's that nobody would ever be told the words of, most likely misspelt."""
    if not folder.is_dir():
        yield TemplateProblem(str(folder), None, "is no folder")
        return
    for name in _names(folder):
        if name in shipped:
            continue
        if _replaced(name) not in shipped:
            near = difflib.get_close_matches(name, shipped, n=1)
            yield TemplateProblem(name, None, "replaces no template", f"did you mean {near[0]}?" if near else None)
        elif (found := provider_of(name)) and (wrong := _unspoken(*found)):
            yield TemplateProblem(name, None, *wrong)


def _unspoken(channel: str, provider: str) -> tuple[str, str] | None:
    """Why words for a provider are never said, and what to do; None where they are."""
    offered = providers("sms" if channel == "sms" else "chat") if channel in {"sms", "chat"} else {}
    if provider not in offered:
        near = difflib.get_close_matches(provider, offered, n=1)
        return "is for a provider there is not", f"did you mean {near[0]}?" if near else f"known: {', '.join(offered)}"
    if offered[provider].limits is not None:
        return f"is never said: {provider} takes approved texts only", "see [[channels.sms.template]]"
    return None


def template_folders(folder: Path) -> list[Path]:
    """Return `folder` and the folders in it, links followed, without hidden ones.

    What begins with a dot is no template: a mounted volume keeps its versions so (`..data`), an editor its locks.
    """
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    for here, below, _ in os.walk(folder, followlinks=True):
        status = Path(here).stat()
        if (status.st_dev, status.st_ino) in seen:
            below.clear()  # a link that leads back
            continue
        seen.add((status.st_dev, status.st_ino))
        below[:] = sorted(name for name in below if not name.startswith(_OF_EDITORS))
        found.append(Path(here))
    return found


def template_files(folder: Path) -> list[Path]:
    """Return every template in `folder`, by name, links followed, without hidden ones."""
    return sorted(
        path for one in template_folders(folder) for path in one.glob("*.j2") if not path.name.startswith(_OF_EDITORS)
    )


def _names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in template_files(folder)]


def _replaced(name: str) -> str | None:
    """The template of a channel that one of a provider's stands in for."""
    found = _OF_PROVIDER.fullmatch(name)
    return f"{found[1]}/{found[3]}" if found else None
