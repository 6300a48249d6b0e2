"""Whom a ladder reaches: for which children a role, on some channels, is answered by nobody."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rules.ladder import Directory, Recipient, Unit
from rules.rota import OnDuty
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
    flagged: Collection[tuple[str, str]] = ()
    """Contacts and channels on which they were not to be reached when it was last tried."""
    traits: Traits = field(default_factory=lambda: unknown(0))
    """What children there are, for rules that are only for some; not one a child where many are alike."""


class Reach:
    """Answers for which schools and towns nobody is reached; a contact whose endpoint is not configured has none.

    With rotas, whoever takes turns in a role counts as one who holds it.
    """

    def __init__(
        self,
        roster: Roster,
        endpoints: frozenset[str],
        chats: frozenset[str] = frozenset(),
        duty: Callable[[Directory], OnDuty] | None = None,
    ) -> None:
        known = [_usable(roster, one, endpoints, chats) for one in roster.recipients]
        self._directory = Directory(roster.units, known)
        self._duty = duty(self._directory) if duty else None
        self._kinds: dict[tuple[str, str | None], list[str]] = {}
        for student, class_id, residence in roster.children:
            self._kinds.setdefault((class_id, residence), []).append(student)

    @property
    def recipients(self) -> Mapping[str, Recipient]:
        """Every contact by id, with the channels on which it can be reached."""
        return self._directory.recipients

    def hears(self, contact_id: str) -> bool:
        """Whether a contact can be reached on any channel."""
        known = self._directory.recipients.get(contact_id)
        return known is not None and bool(known.channels)

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
            for one in self._told(role, self._directory.for_student(role, student, class_id, residence))
        )

    def _told(self, role: str, holders: Sequence[Recipient]) -> Sequence[Recipient]:
        turns = self._duty.line(role, holders) if self._duty else None
        return [*holders, *turns] if turns else holders

    def _place(self, class_id: str, residence: str | None) -> str:
        school = self._directory.school(class_id)
        town, _ = self._directory.town(class_id, residence)
        return " / ".join(filter(None, (school.unit_id if school else class_id, town.unit_id if town else None)))


def few(names: Sequence[str]) -> str:
    """The first of `names`, and that there are more."""
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")


def _usable(roster: Roster, one: Recipient, endpoints: frozenset[str], chats: frozenset[str]) -> Recipient:
    channels, endpoint = one.channels - {"webhook", "chat"}, roster.endpoints.get(one.contact_id)
    channels |= {"webhook"} if endpoint in endpoints else {"chat"} if endpoint in chats else set()
    left = frozenset(channel for channel in channels if (one.contact_id, channel) not in roster.flagged)
    return one if left == one.channels else replace(one, channels=left)
