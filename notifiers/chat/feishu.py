"""Feishu 飞书自定义机器人: a card to a group, signed in its body where the robot demands it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from notifiers.chat.lines import fitted
from notifiers.chat.robots import KEYWORD, SIGNING, URL, demand_taken, robot_url, spoken
from notifiers.contract import Message, Receipt
from notifiers.jsonapi import JsonApi
from notifiers.provider import NETWORK, TIMEOUT, Now, Provider, Settings, network_of
from notifiers.refusals import A_MINUTE, BAD_WORDS, MENDED, SOON, Verdict

MOST_BYTES = 15_000
"""Of the words; the whole request may have 20 KB (open.feishu.cn, custom bots)."""

REFUSALS: Mapping[str, Verdict] = {
    "9499": A_MINUTE,  # too many requests, or one it does not understand: nobody can tell which
    "11232": A_MINUTE,  # more than 5 a second or 100 a minute
    "11247": SOON,
    "19001": MENDED,  # no such robot: its URL is wrong, or it was removed
    "19002": BAD_WORDS,
    "19007": MENDED,  # the robot is not there any more
    "19021": MENDED,  # the signature, or this machine's clock is more than an hour off
    "19022": MENDED,  # this address is not on its list
    "19024": MENDED,  # a keyword that is demanded
}
"""The code of an answer, whatever its HTTP status; one not here is tried again."""

_COLOUR = {"report": "red", "escalation": "red", "reopened": "red", "confirm_request": "orange", "overdue": "orange"}
_GOOD = frozenset({"return", "retraction", "closed", "feed_recovered", "rules_accepted"})


class Feishu:
    """One robot in one group; calls nobody by name, and cannot know who reads it."""

    channel = "chat"

    def __init__(self, url: str, secret: str | None, keyword: str | None, api: JsonApi, now: Now) -> None:
        self._url = url
        self._secret = secret
        self._keyword = keyword
        self._api = api
        self._now = now

    def send(self, message: Message) -> Receipt:
        """Say it once; raise DeliveryError when it was not, or not surely, taken."""
        body = json.dumps({**self._stamp(), **card(message, self._keyword)}, ensure_ascii=False).encode()
        _, answer = self._api.call(self._url, body, {"Content-Type": "application/json; charset=utf-8"})
        demand_taken("Feishu", answer, "code", REFUSALS)
        return Receipt(provider_id=None)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _stamp(self) -> dict[str, str]:
        if self._secret is None:
            return {}
        stamp = int(self._now().timestamp())
        return {"timestamp": str(stamp), "sign": signature(self._secret, stamp)}


def card(message: Message, keyword: str | None = None) -> dict[str, Any]:
    """The message as an interactive card, its head coloured by what it is about."""
    colour = _COLOUR.get(message.template, "green" if message.template in _GOOD else "blue")
    title, text = spoken(message, keyword)
    header = {"title": {"tag": "plain_text", "content": title}, "template": colour}
    words = {"tag": "markdown", "content": fitted(text, MOST_BYTES)}
    return {"msg_type": "interactive", "card": {"header": header, "elements": [words]}}


def signature(secret: str, stamp: int) -> str:
    """The signature of an instant in seconds since 1970: it stands in the key, and nothing at all is signed."""
    return base64.b64encode(hmac.new(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode("ascii")


def build(settings: Settings, now: Now) -> Feishu:
    """The robot as configured."""
    api = JsonApi(timeout=settings["timeout"], now=now, network=network_of(settings))
    return Feishu(robot_url(settings), settings["secret"], settings["keyword"], api, now)


PROVIDER = Provider(name="feishu", keys=(URL, SIGNING, KEYWORD, TIMEOUT, NETWORK), build=build)
