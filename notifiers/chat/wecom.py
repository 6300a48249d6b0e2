"""WeCom 企业微信群机器人: Markdown to a group, by a URL that is itself the secret."""

from __future__ import annotations

import json
from collections.abc import Mapping

from notifiers.chat.lines import fitted
from notifiers.chat.robots import KEYWORD, URL, demand_taken, robot_url, spoken
from notifiers.contract import Message, Receipt
from notifiers.jsonapi import JsonApi
from notifiers.provider import NETWORK, TIMEOUT, Now, Provider, Settings, network_of
from notifiers.refusals import A_MINUTE, BAD_WORDS, MENDED, SOON, Verdict

MOST_BYTES = 4096
"""Of Markdown, in UTF-8 (developer.work.weixin.qq.com/document/path/91770)."""

REFUSALS: Mapping[str, Verdict] = {
    "-1": SOON,
    "45009": A_MINUTE,  # more than 20 a minute
    "45033": A_MINUTE,  # too many at once
    "40008": BAD_WORDS,  # a kind of message there is not
    "40058": BAD_WORDS,  # a parameter, too long as a rule
    "44004": BAD_WORDS,  # no words
    "93000": MENDED,  # no such robot: its URL is wrong, or it was removed from the group
    "93004": MENDED,  # it was stopped
    "93008": MENDED,  # this address is not on its list
}
"""The errcode of an answer, which comes with HTTP 200; one not here is tried again."""


class WeCom:
    """One robot in one group; calls nobody by name, and cannot know who reads it."""

    channel = "chat"

    def __init__(self, url: str, keyword: str | None, api: JsonApi) -> None:
        self._url = url
        self._keyword = keyword
        self._api = api

    def send(self, message: Message) -> Receipt:
        """Say it once; raise DeliveryError when it was not, or not surely, taken."""
        title, text = spoken(message, self._keyword)
        words = fitted(f"### {title}\n{text}", MOST_BYTES)
        body = json.dumps({"msgtype": "markdown", "markdown": {"content": words}}, ensure_ascii=False)
        _, answer = self._api.call(self._url, body.encode(), {"Content-Type": "application/json"})
        demand_taken("WeCom", answer, "errcode", REFUSALS)
        return Receipt(provider_id=None)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()


def build(settings: Settings, now: Now) -> WeCom:
    """The robot as configured."""
    return WeCom(
        robot_url(settings),
        settings["keyword"],
        JsonApi(timeout=settings["timeout"], now=now, network=network_of(settings)),
    )


PROVIDER = Provider(name="wecom", keys=(URL, KEYWORD, TIMEOUT, NETWORK), build=build)
