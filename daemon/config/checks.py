"""What one key of the file promises another: references, orders, and things that exclude each other.

These look at the tree as written, not at models, so that they speak up beside whatever else is wrong with it, and
pass silently over what is misshapen: that has been said elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from daemon.config import days, mapped, offering, turns
from daemon.config.boxes import pingable, reachable
from daemon.config.climbing import LADDER, RUNG
from daemon.config.credentials import CertificatesError, SecretError, Vault, is_file
from daemon.config.duty import DutyConfig
from daemon.config.models import PrivacyConfig
from daemon.config.network import NetworkConfig, environment
from daemon.config.outline import tables
from daemon.config.pace import HoursConfig
from daemon.config.returned import BouncesConfig, HeartbeatConfig
from daemon.config.scene import Scene, Tree, below, rows
from daemon.config.school import CalendarConfig, UnitCalendar
from daemon.config.source import Place
from daemon.config.sources import FeedConfig, RulesConfig
from daemon.config.speech import (
    ChatConfig,
    EmailConfig,
    Endpoint,
    LadderConfig,
    Robot,
    RungConfig,
    SmsConfig,
    WebhookConfig,
)
from daemon.config.table import Keeper, Table
from daemon.config.values import quoted
from daemon.config.wording import Finding, wanted

Check = Callable[[Scene], Iterator[Finding]]


def promises(tree: Tree, vault: Vault) -> Iterator[Finding]:
    """Every broken promise in the tree."""
    for place, model, table in tables(tree):
        for check in _CHECKS.get(model, ()):
            yield from check(Scene(place, table, tree, vault))
    yield from _twice(tree, ("feed",), "id")
    yield from _twice(tree, ("ladder",), "id")
    yield from _twice(tree, ("hours",), "id")
    yield from _twice(tree, ("calendar", "unit"), "unit")
    yield from turns.one_rota_each(tree)


def _twice(tree: Tree, place: Place, key: str) -> Iterator[Finding]:
    """One id given to two tables of a list."""
    first: dict[str, int] = {}
    for number, row in rows(below(tree, *map(str, place))):
        name = row.get(key)
        if isinstance(name, str) and first.setdefault(name, number) != number:
            table = ".".join(map(str, place))
            fault = f"{quoted(name)} is taken by {table}[{first[name]}] already"
            yield Finding((*place, number, key), fault, "give each an id of its own, or merge the two")


def _transport(scene: Scene) -> Iterator[Finding]:
    """A file feed has a path, an http feed a url, an Ed-Fi feed either; none has both."""
    kind, path, url = scene.text("kind"), "path" in scene.table, "url" in scene.table
    if path and url:
        yield scene.found("url", "stands beside a path", "keep the one the feed is read from")
    elif kind == "file" and url:
        yield scene.found("url", "is nothing a file feed reads", 'write kind = "http", or path instead of url')
    elif kind == "http" and path:
        yield scene.found("path", "is nothing an http feed reads", 'write kind = "file", or url instead of path')
    if kind in {"file", "edfi"} and not path and not url:
        yield scene.found("path", f"is missing in a feed of kind {kind}", wanted((*scene.place, "path")))
    if kind == "http" and not path and not url:
        yield scene.found("url", "is missing in a feed of kind http", wanted((*scene.place, "url")))
    if path and not url:
        for key in ("token_env", "token_file", "ca_file", "proxy"):
            if key in scene.table:
                yield scene.found(key, "is no use to a feed without a url", "leave it out")


def _implied(scene: Scene) -> Iterator[Finding]:
    records = scene.text("records")
    if scene.table.get("presence") == "implied" and records not in {None, "marks"}:
        hint = 'leave presence out, or write records = "marks"'
        yield scene.found("presence", f'"implied" makes no sense of {records}', hint)


def _configured(scene: Scene) -> Iterator[Finding]:
    """A rung speaks only on channels that exist."""
    channels = scene.table.get("channels")
    for number, channel in enumerate(channels if isinstance(channels, list) else []):
        if channel in ("sms", "email", "chat", "webhook") and below(scene.tree, "channels", channel) is None:
            hint = f"add a table [channels.{channel}], or leave {channel} out"
            yield scene.found(("channels", number), f"{quoted(channel)} is a channel that is not configured", hint)


def _rule_files(scene: Scene) -> Iterator[Finding]:
    files = scene.table.get("files")
    for number, file in enumerate(files if isinstance(files, list) else []):
        if isinstance(file, str) and file.strip() and not is_file(scene.vault.base / file):
            hint = f"a relative path begins in {scene.vault.base}"
            yield scene.found(("files", number), f"{quoted(file)} does not exist", hint)


def _either_source(scene: Scene, stem: str) -> tuple[str | None, str | None]:
    """What `<stem>_env` and `<stem>_file` say, where it can be looked up."""
    env, file = scene.text(f"{stem}_env"), scene.text(f"{stem}_file")
    return (env if env and env.strip() else None), (file if file and file.strip() else None)


def _secret(stem: str, take: Callable[[Vault, str | None, str | None], object]) -> Check:
    """The check that a secret named in a table can be had, from one place only."""

    def check(scene: Scene) -> Iterator[Finding]:
        env, file = _either_source(scene, stem)
        if env and file:
            yield scene.found(f"{stem}_file", f"stands beside {stem}_env", "keep one of the two")
        for key, source in ((f"{stem}_env", (env, None)), (f"{stem}_file", (None, file))):
            try:
                if source != (None, None):
                    take(scene.vault, *source)
            except SecretError as error:
                yield scene.found(key, error.fault, error.hint)

    return check


def _secrets(table: type[Keeper]) -> Iterator[Check]:
    """The checks of all secrets of a table."""
    return (_secret(stem, Vault.take) for stem in table.stems)


def _signed(scene: Scene) -> Iterator[Finding]:
    if not {"secret_env", "secret_file"} & scene.table.keys():
        yield scene.found("secret_file", "is missing, and so is secret_env", wanted((*scene.place, "secret_file")))


def _named_once(scene: Scene) -> Iterator[Finding]:
    """A contact names its endpoint, so that a robot and a webhook cannot have one name."""
    endpoints, others = scene.table.get("endpoints"), below(scene.tree, "channels", "webhook", "endpoints")
    if isinstance(endpoints, dict) and isinstance(others, dict):
        for name in endpoints.keys() & others.keys():
            hint = "give one of the two another name, and contacts that mean it"
            yield scene.found(("endpoints", name), f"{quoted(name)} is the name of a webhook already", hint)


def _account(scene: Scene) -> Iterator[Finding]:
    """A mail account is a name and a password, or nothing."""
    named = "username" in scene.table
    secret = next((key for key in ("password_env", "password_file") if key in scene.table), None)
    if named and secret is None:
        hint = "name its password with password_env or password_file, or leave it out"
        yield scene.found("username", "is an account without a password", hint)
    if secret is not None and not named:
        yield scene.found(secret, "is a password without an account", "write username, or leave it out")


def _authorities(scene: Scene) -> Iterator[Finding]:
    """A file of authorities can be read, and holds some."""
    file = scene.text("ca_file")
    try:
        if file and file.strip():
            scene.vault.certificates(file)
    except CertificatesError as error:
        yield scene.found("ca_file", error.fault, error.hint)


def _one_proxy(scene: Scene) -> Iterator[Finding]:
    """An account at the proxy is a name and a password, of a proxy there is; and the proxy is named in one place."""
    named = "proxy_username" in scene.table
    secret = next((key for key in ("proxy_password_env", "proxy_password_file") if key in scene.table), None)
    if named and secret is None:
        hint = "name its password with proxy_password_env or proxy_password_file, or leave it out"
        yield scene.found("proxy_username", "is an account without a password", hint)
    if secret is not None and not named:
        yield scene.found(secret, "is a password without an account", "write proxy_username, or leave it out")
    if named and "proxy" not in scene.table:
        yield scene.found("proxy_username", "is an account at no proxy", wanted((*scene.place, "proxy")))
    if scene.table.get("proxy_from_environment") is True:
        yield from _followed(scene)


def _followed(scene: Scene) -> Iterator[Finding]:
    key = "proxy_from_environment"
    if "proxy" in scene.table:
        yield scene.found(key, "stands beside proxy", "keep one of the two")
    for name in environment(scene.vault.environ).unread:
        hint = (
            'set it as "http://proxy.example.org:3128", or NO_PROXY as hosts, domains and networks with commas between'
        )
        yield scene.found(key, f"follows the variable {name}, which names none that can be used", hint)


_CHECKS: dict[type[Table], tuple[Check, ...]] = {
    CalendarConfig: days.CHECKS,
    UnitCalendar: days.CHECKS,
    HoursConfig: days.CHECKS,
    FeedConfig: (_transport, _implied, *mapped.CHECKS, _authorities, *_secrets(FeedConfig)),
    RulesConfig: (_rule_files,),
    RungConfig: (_configured, *RUNG),
    LadderConfig: LADDER,
    DutyConfig: (turns.substitutes,),
    NetworkConfig: (_authorities, _one_proxy, *_secrets(NetworkConfig)),
    EmailConfig: (_account, _authorities, *_secrets(EmailConfig)),
    BouncesConfig: (reachable, _authorities, *_secrets(BouncesConfig)),
    HeartbeatConfig: (_authorities, *_secrets(HeartbeatConfig), pingable),
    SmsConfig: (*offering.checks(SmsConfig), _authorities, *_secrets(SmsConfig)),
    Robot: (*offering.checks(Robot), _authorities, *_secrets(Robot)),
    ChatConfig: (_named_once,),
    WebhookConfig: (_authorities,),
    Endpoint: (_signed, *_secrets(Endpoint)),
    PrivacyConfig: (_secret("key", Vault.keys),),
}
