"""The address mails come back to; with a separator, one of its own for each mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_LOCAL = 64
"""Characters before the @ (RFC 5321)."""
LONGEST_ID = 36
"""Characters of an id of ours: a UUID, with or without dashes."""


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """The envelope sender of mails: `address`, or where a `separator` is agreed on, the address with a mail's id.

    `bounces@example.org` with `+` becomes `bounces+ID@example.org`, so that whatever comes back there is known to be
    about that mail (VERP). Raises ValueError for an address with no room for an id.
    """

    address: str
    separator: str | None = None

    def __post_init__(self) -> None:
        longest = LONGEST_LOCAL - LONGEST_ID - 1
        if self.separator is not None and len(self.address.rpartition("@")[0]) > longest:
            raise ValueError(f"bounce_to has no room for an id: at most {longest} characters before the @")

    def of(self, message_id: str) -> str:
        """Return the envelope sender of the mail of one message."""
        if self.separator is None:
            return self.address
        local, _, domain = self.address.rpartition("@")
        return f"{local}{self.separator}{message_id}@{domain}"

    def ids_in(self, text: str) -> Iterator[str]:
        """Yield the ids in every envelope sender of ours that `text` names."""
        if self.separator is not None:
            local, _, domain = self.address.rpartition("@")
            begin, end = re.escape(local + self.separator), re.escape(domain)
            written = re.compile(rf"(?<![\w.]){begin}([A-Za-z0-9-]{{1,64}})@{end}(?![\w-])", re.ASCII | re.IGNORECASE)
            yield from (one[1] for one in written.finditer(text))
