"""Whom a ladder reaches: for which children a role, on some channels, is answered by nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rules.ladder import Directory, Recipient, Unit
from rules.traits import Traits, unknown

NAMED = 3
"""How many schools or towns are named in one line."""

Child = tuple[str, str, str | None]
"""A child as routing sees it: its id, its class, its residence."""


@dataclass(frozen=True)
class Roster:
    """Who is where and who may be told, from feeds or from the store; holds no name but those of units."""

    units: Mapping[str, Unit]
    children: Sequence[Child]
    recipients: Sequence[Recipient]
    endpoints: Mapping[str, str]
    """Contact to the endpoint it names."""
    traits: Traits = field(default_factory=lambda: unknown(0))
    """What children there are, for rules that are only for some; not one a child where many are alike."""


class Reach:
    """Answers for which schools and towns nobody is reached; a contact whose endpoint is not configured has none."""

    def __init__(self, roster: Roster, endpoints: frozenset[str]) -> None:
        known = [_usable(one, roster.endpoints.get(one.contact_id), endpoints) for one in roster.recipients]
        self._directory = Directory(roster.units, known)
        self._kinds: dict[tuple[str, str | None], list[str]] = {}
        for student, class_id, residence in roster.children:
            self._kinds.setdefault((class_id, residence), []).append(student)

    def has(self, role: str) -> bool:
        """Whether anybody holds `role` for a unit."""
        return bool(self._directory.everyone(role))

    def unreached(self, roles: Sequence[str], channels: Iterable[str]) -> list[str]:
        """The schools and towns with a child for whom none of `roles` is reached on any of `channels`."""
        wanted = frozenset(channels)
        lost = {
            self._place(class_id, residence)
            for (class_id, residence), students in self._kinds.items()
            if not self._hears("", roles, wanted, class_id, residence)
            and not all(self._hears(one, roles, wanted, class_id, residence) for one in students)
        }
        return sorted(lost)

    def _hears(
        self, student: str, roles: Sequence[str], channels: frozenset[str], class_id: str, residence: str | None
    ) -> bool:
        return any(
            one.channels & channels
            for role in roles
            for one in self._directory.for_student(role, student, class_id, residence)
        )

    def _place(self, class_id: str, residence: str | None) -> str:
        school = self._directory.school(class_id)
        town, _ = self._directory.town(class_id, residence)
        return " / ".join(filter(None, (school.unit_id if school else class_id, town.unit_id if town else None)))


def few(names: Sequence[str]) -> str:
    """The first of `names`, and that there are more."""
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")


def _usable(one: Recipient, endpoint: str | None, endpoints: frozenset[str]) -> Recipient:
    return one if endpoint in endpoints else replace(one, channels=one.channels - {"webhook"})
