"""Which build of the program runs."""

from __future__ import annotations

import json

UNKNOWN = ""


def version() -> str:
    """Return the version installed; in a checkout there is none."""
    from importlib import metadata  # noqa: PLC0415 - loads a parser of mails, for the few who ask

    try:
        return metadata.version("baoxue")
    except metadata.PackageNotFoundError:
        return "(from source)"


def revision() -> str:
    """Return the commit it was installed from, where pip knows it; else UNKNOWN."""
    from importlib import metadata  # noqa: PLC0415 - likewise

    try:
        written = metadata.distribution("baoxue").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return UNKNOWN
    origin = json.loads(written or "{}").get("vcs_info", {})
    return str(origin.get("commit_id", UNKNOWN))
