"""Whether a file has been written to its end, as far as its bytes can tell."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import defusedxml.ElementTree as SafeXml
from defusedxml.common import DefusedXmlException

ZIP_MAGIC = b"PK\x03\x04"
XML_CHUNK = 1 << 16


class _Deaf:
    """An XML target that listens to nothing: only the grammar is checked."""

    def close(self) -> None:
        return None


def is_whole(content: bytes) -> bool:
    """Whether `content` ends where its format says it must: archive directory, root element, line end.

    A table in text must end its last line, unless that line is a complete JSON object. Says nothing about meaning.
    """
    head = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"PK"):
        return _archive_is_whole(content)
    if head.startswith(b"<"):
        return _xml_is_whole(content)
    if head.startswith(b"{"):
        return content.endswith(b"\n") or _ends_in_object(content)
    return content.endswith((b"\n", b"\r"))


def _archive_is_whole(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return bool(archive.infolist())
    except (zipfile.BadZipFile, struct.error, ValueError, OSError, RuntimeError):
        return False


def _xml_is_whole(content: bytes) -> bool:
    parser = SafeXml.DefusedXMLParser(target=_Deaf(), forbid_dtd=True)
    try:
        for start in range(0, len(content), XML_CHUNK):
            parser.feed(content[start : start + XML_CHUNK])
        parser.close()
    except DefusedXmlException:
        return True  # forbidden rather than unfinished: reading will say so
    except (SafeXml.ParseError, ValueError, LookupError):
        return False
    return True


def _ends_in_object(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content[content.rfind(b"\n") + 1 :]), dict)
    except (ValueError, RecursionError):
        return False
