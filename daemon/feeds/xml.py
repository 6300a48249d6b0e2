"""Ed-Fi interchange files as a stream of small elements, whatever somebody hid in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import defusedxml.ElementTree as SafeXml
from defusedxml.common import DefusedXmlException

from daemon.feeds.payload import Fault, quote

CHUNK = 1 << 16
DEEPEST = 24
MOST_NODES = 2_000
LONGEST_TEXT = 4_000
_NAMESPACE = re.compile(r"http://ed-fi\.org/5\.\d+(?:\.\d+)?", re.ASCII)


@dataclass(slots=True)
class Element:
    """One element by its local name, with its text, its children, and the line it starts on."""

    name: str
    line: int
    id: str = ""
    ref: str = ""
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, name: str) -> list[Element]:
        """The children called `name`."""
        return [child for child in self.children if child.name == name]

    def at(self, *path: str) -> str:
        """The trimmed text at the end of `path`, by first children; empty where there is none."""
        here = self
        for name in path:
            step = next((child for child in here.children if child.name == name), None)
            if step is None:
                return ""
            here = step
        return here.text.strip()

    def code(self, *path: str) -> str:
        """The code of the descriptor at `path`, without its namespace."""
        return self.at(*path).rpartition("#")[2].strip()


class _Builder:
    """Builds the elements right below the root one at a time; refuses what goes beyond the limits."""

    def __init__(self) -> None:
        self.finished: list[Element] = []
        self.expat: Any = None
        self._depth = 0
        self._nodes = 0
        self._open: list[Element] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, name = tag.rpartition("}")
        if self._depth == 0:
            _check_root(namespace.removeprefix("{"), name, self.expat.CurrentLineNumber)
        self._depth += 1
        if self._depth > DEEPEST:
            raise Fault("is nested too deeply", line=self.expat.CurrentLineNumber)
        if self._depth == 1:
            return
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise Fault("has an element of too many parts", line=self._open[0].line)
        element = Element(name, self.expat.CurrentLineNumber, attributes.get("id", ""), attributes.get("ref", ""))
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)

    def data(self, text: str) -> None:
        if not self._open:
            return
        element = self._open[-1]
        if len(element.text) + len(text) > LONGEST_TEXT:
            raise Fault(f"has a text of more than {LONGEST_TEXT} characters", line=element.line)
        element.text += text

    def end(self, _tag: str) -> None:
        self._depth -= 1
        if not self._open:
            return
        element = self._open.pop()
        if not self._open:
            self.finished.append(element)
            self._nodes = 0

    def close(self) -> None:
        return None


def _check_root(namespace: str, name: str, line: int) -> None:
    if not name.startswith("Interchange"):
        raise Fault(f"is no Ed-Fi interchange: its root is {quote(name)}", line=line)
    if not _NAMESPACE.fullmatch(namespace):
        raise Fault(f"is Ed-Fi of another version: {quote(namespace)}", "export it as Ed-Fi 5.x", line=line)


def elements(content: bytes) -> Iterator[Element]:
    """The elements below the root, in order, never holding more than a chunk's worth of them.

    Raises Fault for a document type or entities, for what is not well-formed to its very end, and beyond the limits;
    what came before the fault was already given, and is the caller's to throw away.
    """
    builder = _Builder()
    parser = SafeXml.DefusedXMLParser(target=builder, forbid_dtd=True)
    builder.expat = parser.parser
    try:
        for start in range(0, len(content), CHUNK):
            parser.feed(content[start : start + CHUNK])
            yield from builder.finished
            builder.finished.clear()
        parser.close()
    except Fault:
        raise
    except DefusedXmlException:
        raise Fault("declares a document type or entities, which no interchange needs") from None
    except SafeXml.ParseError as error:
        raise Fault("is not well-formed XML", "export it again, whole", line=error.position[0]) from None
    except (LookupError, ValueError):
        raise Fault("is in an encoding that cannot be read", "export it as UTF-8") from None
    yield from builder.finished
