"""What the desk refuses, in words for whoever asked."""

from __future__ import annotations


class DeskError(Exception):
    """Something was asked of the desk that cannot be done; `subject` is what it is about, `hint` what to do instead.

    Carries ids, never a name; the same words serve the command line and the pages behind links.
    """

    def __init__(self, subject: str, fault: str, hint: str | None = None) -> None:
        super().__init__(f"{subject}: {fault}")
        self.subject = subject
        self.fault = fault
        self.hint = hint
