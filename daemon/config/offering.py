"""What the tables of providers promise: keys of the provider named and of no other, and texts it can be sent with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from daemon.config.offers import Offered
from daemon.config.scene import Scene, below, rows
from daemon.config.wording import Finding, wanted
from daemon.problems import either
from notifiers.provider import Provider
from notifiers.sms.templates import template_faults, uncovered


def checks(table: type[Offered]) -> tuple[Callable[[Scene], Iterator[Finding]], ...]:
    """The checks of one table of providers."""

    def chosen(scene: Scene, check: Callable[[Scene, Provider], Iterator[Finding]]) -> Iterator[Finding]:
        name = scene.table.get("provider", table.model_fields["provider"].default)
        if isinstance(name, str) and name in table.offers:
            yield from check(scene, table.offers[name])

    def of_others(scene: Scene, provider: Provider) -> Iterator[Finding]:
        return _of_others(scene, provider, list(table.offers.values()))

    return tuple(lambda scene, check=check: chosen(scene, check) for check in (of_others, _needed, _templates))


def _of_others(scene: Scene, provider: Provider, offers: list[Provider]) -> Iterator[Finding]:
    for key in scene.table:
        owners = [one.name for one in offers if key in one.written]
        if owners and provider.name not in owners:
            hint = f'write provider = "{owners[0]}", or leave it out'
            yield scene.found(key, f"is a key of the provider {either(owners)}, not of {provider.name}", hint)


def _needed(scene: Scene, provider: Provider) -> Iterator[Finding]:
    for key in provider.keys:
        if key.needed and not any(name in scene.table for name in key.written):
            what = f", and so is {key.written[0]}" if len(key.written) > 1 else f" for the provider {provider.name}"
            yield scene.found(key.written[-1], f"is missing{what}", wanted((*scene.place, key.written[-1])))


def _templates(scene: Scene, provider: Provider) -> Iterator[Finding]:
    """Registered texts say what a ladder says, and have room for it."""
    templates = scene.table.get("template")
    if provider.limits is None or not isinstance(templates, list):
        return
    callback = below(scene.tree, "service", "callback")
    number, replies = callback if isinstance(callback, str) else None, scene.table.get("replies") is True
    for found in template_faults(templates, provider.limits, number, replies=replies):
        yield scene.found(("template", *found.place), found.fault, found.hint)
    if _on_a_ladder(scene, "sms") and (lacking := uncovered(templates)):
        hint = "name them in kinds, or leave kinds out of one template: it is for all the rest"
        yield scene.found("template", f"has no text for {', '.join(lacking)}, which ladders send by sms", hint)


def _on_a_ladder(scene: Scene, channel: str) -> bool:
    """Whether any rung speaks on a channel."""
    rungs = (rung for _, ladder in rows(below(scene.tree, "ladder")) for _, rung in rows(ladder.get("rung")))
    return any(channel in told for rung in rungs if isinstance(told := rung.get("channels"), list))
