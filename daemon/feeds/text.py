"""Bytes to text, by evidence and never by repair."""

from __future__ import annotations

import codecs
from pathlib import Path

from daemon.feeds.payload import Fault

_AS_UTF8 = "save it as CSV UTF-8"
_BLOCK = 1 << 20


def decode(content: bytes, encoding: str) -> str:
    """The text of `content` in `encoding`; "auto" is UTF-8 if it decodes whole, else GB18030 if that does.

    Text that is UTF-8 but for a few broken bytes is refused rather than read as GB18030 nonsense.
    Raises Fault, with the line where one is known, for binary and for anything that does not decode whole.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Fault("is UTF-16 text", _AS_UTF8)
    if (at := content.find(b"\0")) >= 0:
        raise Fault("is binary, not text", _AS_UTF8, line=_line(content, at))
    if encoding == "gb18030":
        return _strictly(content, "gb18030")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if encoding == "utf-8" or _is_broken_utf8(content):
            line = _line(content, error.start)
            raise Fault("is not whole UTF-8", _AS_UTF8 + ", or set encoding", line=line) from None
    return _strictly(content, "gb18030")


def encoding_of(path: Path, encoding: str) -> str:
    """The encoding by which `decode` would read the file, told without holding it; raises Fault as `decode` does."""
    probable = "gb18030" if encoding == "gb18030" else "utf-8"
    if not _decodes(path, probable):
        decode(path.read_bytes(), encoding)
        return "gb18030"
    return probable


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while block := file.read(_BLOCK):
                if b"\0" in block:
                    return False
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = _line(content, error.start)
        raise Fault("is neither UTF-8 nor GB18030 text", _AS_UTF8, line=line) from None


def _is_broken_utf8(content: bytes) -> bool:
    """Whether far more of the text beyond ASCII is UTF-8 than is not; GB18030 text is the other way round."""
    if content.startswith(codecs.BOM_UTF8):
        return True
    lenient = content.decode("utf-8", errors="replace")
    broken = lenient.count("\ufffd")
    whole = sum(not c.isascii() for c in lenient) - broken
    return whole >= 3 * broken


def _line(content: bytes, at: int) -> int:
    return content.count(b"\n", 0, at) + 1
