"""DingTalk 钉钉自定义机器人: Markdown to a group, signed by the second where the robot demands it."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from urllib.parse import quote

from notifiers.chat.lines import fitted
from notifiers.chat.robots import KEYWORD, SIGNING, URL, demand_taken, robot_url, spoken
from notifiers.contract import Message, Receipt
from notifiers.jsonapi import JsonApi
from notifiers.provider import NETWORK, TIMEOUT, Now, Provider, Settings, network_of
from notifiers.refusals import BAD_WORDS, MENDED, SOON, Verdict

MOST_BYTES = 15_000
"""Of the words; the whole message may have 20 000 bytes (open.dingtalk.com, custom robots)."""

BLOCKED = Verdict(wait=dt.timedelta(minutes=10))
"""Whoever says more than 20 messages in a minute is not heard for ten."""

REFUSALS: Mapping[str, Verdict] = {
    "-1": SOON,
    "130101": BLOCKED,
    "302033": BLOCKED,
    "410100": BLOCKED,
    "90030": BLOCKED,
    "310000": MENDED,  # the signature, a keyword that is demanded, or the list of addresses
    "300001": MENDED,  # no such robot: its URL is wrong, or it was removed
    "300005": MENDED,  # likewise
    "40035": MENDED,  # its URL lacks the access_token
    "400013": MENDED,  # the group is no more
    "400101": MENDED,  # no such access_token
    "400102": MENDED,  # the robot was stopped
    "400105": BAD_WORDS,  # a kind of message there is not
    "400106": BAD_WORDS,  # no words
    "430101": BAD_WORDS,
    "430102": BAD_WORDS,
    "430103": BAD_WORDS,
    "430104": BAD_WORDS,  # links, pictures or words that are not let through
    "460101": BAD_WORDS,  # too long
}
"""The errcode of an answer, which comes with HTTP 200; one not here is tried again."""


class DingTalk:
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
        # A single line break is none in its Markdown.
        title, text = spoken(message, self._keyword)
        words = fitted(f"### {title}\n{text}", MOST_BYTES).replace("\n", "  \n")
        said = {"msgtype": "markdown", "markdown": {"title": title, "text": words}}
        body = json.dumps(said, ensure_ascii=False).encode()
        _, answer = self._api.call(self._signed(), body, {"Content-Type": "application/json"})
        demand_taken("DingTalk", answer, "errcode", REFUSALS)
        return Receipt(provider_id=None)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _signed(self) -> str:
        if self._secret is None:
            return self._url
        stamp = int(self._now().timestamp() * 1000)
        joint = "&" if "?" in self._url else "?"
        return f"{self._url}{joint}timestamp={stamp}&sign={quote(signature(self._secret, stamp), safe='')}"


def signature(secret: str, stamp: int) -> str:
    """The signature of an instant in milliseconds since 1970: the secret is the key and part of what is signed."""
    found = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256)
    return base64.b64encode(found.digest()).decode("ascii")


def build(settings: Settings, now: Now) -> DingTalk:
    """The robot as configured."""
    api = JsonApi(timeout=settings["timeout"], now=now, network=network_of(settings))
    return DingTalk(robot_url(settings), settings["secret"], settings["keyword"], api, now)


PROVIDER = Provider(name="dingtalk", keys=(URL, SIGNING, KEYWORD, TIMEOUT, NETWORK), build=build)
