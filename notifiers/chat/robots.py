"""What the group robots have in common: the keys they are configured by, and an answer that may say no in a success."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notifiers.contract import DeliveryError, Message
from notifiers.provider import Key, SettingError, Settings
from notifiers.refusals import Verdict, refused, verdict

URL = Key("url", "secret", "the robot's whole webhook address, which is its key", example='"robot.url"', needed=True)
SIGNING = Key("secret", "secret", "the secret messages are signed with, where the robot demands it")
KEYWORD = Key(
    "keyword",
    "text",
    "a word the robot demands, added to messages that lack it",
    example='"保学"',
)

_TAKEN = "0"


def robot_url(settings: Settings) -> str:
    """The address of the robot; raises SettingError for what is none."""
    url: str = (settings["url"] or "").strip()
    if not url.startswith(("http://", "https://")) or any(character.isspace() for character in url):
        raise SettingError("url_file", "holds no web address", "write the address the group's settings show into it")
    return url


def spoken(message: Message, keyword: str | None) -> tuple[str, str]:
    """The title and the words, with the keyword where neither has it."""
    title = message.subject or ""
    lacks = keyword is not None and keyword not in title + message.text
    return (f"{keyword} {title}" if lacks else title), message.text


def demand_taken(provider: str, answer: Any, key: str, table: Mapping[str, Verdict]) -> None:  # noqa: ANN401 - JSON
    """Raise DeliveryError unless the answer says under `key` that the message was taken."""
    code = answer.get(key) if isinstance(answer, dict) else None
    if isinstance(code, bool) or not isinstance(code, int | str) or code == "":
        raise DeliveryError(f"{provider}'s answer does not say whether it was taken", doubtful=True)
    if str(code) != _TAKEN:
        raise refused(provider, f"{key}:{code}", verdict(str(code), table))
