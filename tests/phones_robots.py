"""The group robots of WeCom, DingTalk and Feishu as their documentation tells of them, traps included.

WeCom: developer.work.weixin.qq.com/document/path/91770. DingTalk: open.dingtalk.com, custom robots, security settings.
Feishu: open.feishu.cn, custom bots. Written apart from what they judge; each takes what a group would see.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.phone import Arrival
from tests.phones_http import Answer, HttpPhone, HttpRequest

KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
SECRET = "SECdemo-secret"
A_MINUTE = dt.timedelta(minutes=1)
AN_HOUR = dt.timedelta(hours=1)


class RobotPhone(HttpPhone):
    """One robot in one group; `now` is its clock, `keyword` what it demands, `allowed` whether our address is."""

    name = ""
    most = 20
    """Messages a minute."""
    code = "errcode"
    fine: Mapping[str, Any] = {"errcode": 0, "errmsg": "ok"}

    def __init__(self, now: Callable[[], dt.datetime], **rest: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**rest)
        self.now = now
        self.keyword = ""
        self.removed = False
        self.spoke: list[dt.datetime] = []

    def hears(self, request: HttpRequest) -> Answer:
        """What the robot answers; answers told in advance stand for a network that fails before or behind it."""
        self.requests.append(request)
        if self._answers:
            return self._answers.popleft()
        said = json.loads(request.body)
        refused = self.refusal(request, said)
        if refused is not None:
            return refused
        self.spoke.append(self.now())
        title, words = self.words(said)
        self.takes(Arrival(self.name, words, f"{self.name}-{len(self.spoke)}", self.now(), subject=title))
        return Answer(body=self.fine)

    def refusal(self, request: HttpRequest, said: Mapping[str, Any]) -> Answer | None:
        """Why it says nothing, if so."""
        raise NotImplementedError

    def words(self, said: Mapping[str, Any]) -> tuple[str, str]:
        """Title and words as the group sees them."""
        raise NotImplementedError

    def lately(self) -> int:
        """How often it spoke within a minute."""
        return sum(1 for at in self.spoke if at > self.now() - A_MINUTE)

    def no(self, code: int, words: str, status: int = 200) -> Answer:
        """A refusal, which comes with HTTP 200 as a rule."""
        return Answer(status, body={self.code: code, "errmsg": words, "msg": words}, taken=False)


class WeComPhone(RobotPhone):
    """WeCom: Markdown of at most 4096 bytes, 20 messages a minute."""

    name = "wecom"
    path = f"/cgi-bin/webhook/send?key={KEY}"

    def refusal(self, request: HttpRequest, said: Mapping[str, Any]) -> Answer | None:
        """Wrong keys, other kinds, too long, too often."""
        if self.removed or parse_qs(urlsplit(request.path).query).get("key") != [KEY]:
            return self.no(93000, "invalid webhook url, hint: [1599360473_5_aa], from ip: 203.0.113.7")
        if said["msgtype"] not in {"text", "markdown"}:
            return self.no(40008, "invalid message type")
        if len(said["markdown"]["content"].encode()) > 4096:
            return self.no(40058, "markdown.content exceed max length 4096. invalid Request Parameter")
        if self.lately() >= self.most:
            return self.no(45009, "api freq out of limit")
        return None

    def words(self, said: Mapping[str, Any]) -> tuple[str, str]:
        """The first line is the title."""
        title, _, rest = said["markdown"]["content"].partition("\n")
        return title, rest


class DingTalkPhone(RobotPhone):
    """DingTalk: signed by the millisecond, within an hour; the 21st message of a minute blocks it for ten."""

    name = "dingtalk"
    path = f"/robot/send?access_token={KEY}"

    def __init__(self, now: Callable[[], dt.datetime], **rest: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(now, **rest)
        self.secret = SECRET
        self.blocked_until: dt.datetime | None = None

    def refusal(self, request: HttpRequest, said: Mapping[str, Any]) -> Answer | None:
        """Wrong tokens, signatures and keywords, missing titles, too often."""
        query = {key: values[0] for key, values in parse_qs(urlsplit(request.path).query).items()}
        if self.removed or query.get("access_token") != KEY:
            return self.no(300001, "token is not exist")
        if self.secret and (why := self._unsigned(query)):
            return self.no(310000, why)
        words = said["markdown"]
        if not words.get("title"):
            return self.no(400106, "param [title] missing")
        if self.keyword not in words["title"] + words["text"]:
            return self.no(310000, "keywords not in content, more: [https://ding-doc.dingtalk.com]")
        return self._too_often()

    def words(self, said: Mapping[str, Any]) -> tuple[str, str]:
        """Title and text; a line that does not end with two spaces runs on."""
        text = said["markdown"]["text"]
        return said["markdown"]["title"], text.replace("  \n", "\0").replace("\n", " ").replace("\0", "\n")

    def _too_often(self) -> Answer | None:
        if self.lately() >= self.most:
            self.blocked_until = self.now() + dt.timedelta(minutes=10)
        if self.blocked_until is not None and self.now() < self.blocked_until:
            return self.no(410100, "发送速度太快而限流")
        return None

    def _unsigned(self, query: Mapping[str, str]) -> str:
        stamp = query.get("timestamp", "")
        if abs(int(stamp or 0) / 1000 - self.now().timestamp()) > AN_HOUR.total_seconds():
            return "invalid timestamp"
        key = self.secret.encode("utf-8")
        wanted = base64.b64encode(hmac.new(key, (stamp + "\n" + self.secret).encode(), hashlib.sha256).digest())
        return "" if query.get("sign") == wanted.decode() else "sign not match"


class FeishuPhone(RobotPhone):
    """Feishu: signed in its body by the second; a code in the answer, whatever its status."""

    name = "feishu"
    path = f"/open-apis/bot/v2/hook/{KEY}"
    code = "code"
    most = 100
    fine: Mapping[str, Any] = {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}

    def __init__(self, now: Callable[[], dt.datetime], **rest: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(now, **rest)
        self.secret = SECRET

    def refusal(self, request: HttpRequest, said: Mapping[str, Any]) -> Answer | None:
        """Wrong addresses, signatures and keywords, too long, too often."""
        if self.removed or not request.path.endswith(KEY):
            return self.no(19001, "param invalid: incoming webhook access token invalid", 400)
        if len(request.body) > 20 * 1024:
            return self.no(9499, "Bad Request", 400)
        if self.secret and not self._is_signed(said):
            return self.no(19021, "sign match fail or timestamp is not within one hour from current time")
        title, text = self.words(said)
        if self.keyword not in title + text:
            return self.no(19024, "Key Words Not Found")
        if self.lately() >= self.most:
            return self.no(11232, "frequency limited psm[lark.oapi.app_platform_runtime]")
        return None

    def words(self, said: Mapping[str, Any]) -> tuple[str, str]:
        """Head and body of the card."""
        card = said["card"]
        return card["header"]["title"]["content"], card["elements"][0]["content"]

    def _is_signed(self, said: Mapping[str, Any]) -> bool:
        stamp = str(said.get("timestamp", "0"))
        if abs(int(stamp) - self.now().timestamp()) > AN_HOUR.total_seconds():
            return False
        wanted = base64.b64encode(hmac.digest((stamp + "\n" + self.secret).encode("utf-8"), b"", "sha256"))
        return bool(said.get("sign") == wanted.decode("utf-8"))
