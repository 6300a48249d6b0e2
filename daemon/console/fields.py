"""What a form sent: a few short fields, read no further than a form of ours can be long."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

LONGEST = 64 * 1024
"""Bytes: a note of Han characters is nine bytes each on its way."""
_MOST = 20
"""Fields."""


async def read_fields(request: Request) -> Mapping[str, str] | None:
    """Read the fields of a form, the last of each name; empty for anything that is no form.

    None for what is too long, or was cut off: half a form is nobody's word.
    """
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > LONGEST:
                return None
            parts.append(part)
    except ClientDisconnect:
        return None
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    try:
        pairs = parse_qsl(b"".join(parts).decode("ascii", "replace"), keep_blank_values=True, max_num_fields=_MOST)
    except ValueError:
        return None
    return dict(pairs)
