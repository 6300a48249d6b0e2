"""Mail whose bounces are read back: what a server takes and later returns is told as what it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from notifiers.contract import Heard, Waiting
from notifiers.dsn import LONGEST, read_bounce
from notifiers.email import Email
from notifiers.mailboxes import Mailbox
from notifiers.smtp import EmailSettings

MOST = 200
"""Mails read at once."""


class ReturnedEmail(Email):
    """The mail channel with the box its bounces come to; a mail in it that is no bounce is marked as seen as well.

    Knows its own mails by the address they came back to, their envelope's id, or their Message-ID. Whoever may write
    to that box may say that a mail did not arrive, if he knows its id: the box should be one nobody writes to but mail
    servers.
    """

    def __init__(self, settings: EmailSettings, now: Callable[[], dt.datetime], box: Mailbox) -> None:
        super().__init__(settings, now)
        self._box = box
        self._read: dict[int, list[str]] = {}

    def gather(self, waiting: Sequence[Waiting]) -> Heard:
        """What has come back since it was last asked; not only about those that are `waiting`."""
        del waiting
        keys, reports = [], []
        for key, mail in self._box.unread(MOST, LONGEST):
            keys.append(key)
            report = read_bounce(mail, self.domain, self._now(), self.back)
            if report is not None:
                reports.append(report)
        heard = Heard(tuple(reports))
        self._read = {id(heard): keys}
        return heard

    def confirm(self, heard: Heard) -> None:
        """Mark the mails as seen that `heard` was read from."""
        self._box.mark(self._read.pop(id(heard), []))
