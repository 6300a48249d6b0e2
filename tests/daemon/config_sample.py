"""A configuration with every key in it, and a writer of TOML that knows on which line it put each of them."""

from __future__ import annotations

import base64
import copy
import datetime as dt
import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from tests.authority import Authority

Place = tuple[str | int, ...]

ENVIRON = {
    "FEED_TOKEN": "feed-token-of-the-sample",
    "MAIL_PASSWORD": "mail-password-of-the-sample",
    "BOX_PASSWORD": "box-password-of-the-sample",
    "HEARTBEAT_URL": "https://hc.example.org/ping/heartbeat-key-of-the-sample",
    "SMS_TOKEN": "sms-token-of-the-sample",
    "SMS_RECEIPTS": "sms-receipts-of-the-sample",
    "SMS_HOOK": "whsec_c21zLWhvb2stb2YtdGhlLXNhbXBsZQ==",
    "SMS_KEY": "sms-key-of-the-sample",
    "ROBOT_URL": "https://oapi.dingtalk.com/robot/send?access_token=robot-key-of-the-sample",
    "ROBOT_SECRET": "robot-secret-of-the-sample",
    "PROXY_PASSWORD": "proxy-password-of-the-sample",
    "HOOK_SECRET": "hook-secret-of-the-sample",
    "KEYS": "k2:" + base64.b64encode(b"2" * 32).decode() + "\nk1:" + base64.b64encode(b"1" * 32).decode(),
}
SECRETS = {
    "feed.token": "feed-token-of-the-sample\n",
    "mail.password": "mail-password-of-the-sample\n",
    "box.password": "box-password-of-the-sample\n",
    "heartbeat.url": ENVIRON["HEARTBEAT_URL"] + "\n",
    "sms.token": "sms-token-of-the-sample\n",
    "sms.receipts": "sms-receipts-of-the-sample\n",
    "sms.hook": "whsec_c21zLWhvb2stb2YtdGhlLXNhbXBsZQ==\n",
    "sms.key": "sms-key-of-the-sample\n",
    "robot.url": ENVIRON["ROBOT_URL"] + "\n",
    "robot.secret": "robot-secret-of-the-sample\n",
    "proxy.password": "proxy-password-of-the-sample\n",
    "hook.secret": "hook-secret-of-the-sample\n",
    "baoxue.key": "# the current key comes first\n" + ENVIRON["KEYS"] + "\n",
}


OTHERWISE = {"ca_file": "county-ca.pem", "proxy": "none"}
"""What is reached otherwise than the rest."""


def tree(source: str, box: str = "imap", sms: str = "http") -> dict[str, Any]:
    """A valid configuration with every key, its secrets from `env` or `file`.

    The `box` for bounces has two kinds, and `sms` has four providers.
    """

    def secret(stem: str, env: str, file: str) -> dict[str, str]:
        return {f"{stem}_env": env} if source == "env" else {f"{stem}_file": file}

    term = {"from": dt.date(2026, 3, 2), "to": dt.date(2026, 7, 10)}
    morning = {"name": "am", "start": dt.time(8), "end": dt.time(11, 40)}
    return {
        "service": {
            "district": "610999",
            "callback": "0911-1234567",
            "timezone": "Asia/Shanghai",
            "country": "CN",
            "language": "zh",
            "database": "sqlite:///baoxue.db",
            "mode": "live",
            "watch_at": dt.time(8, 30),
        },
        "calendar": {
            "weekdays": [1, 2, 3, 4, 5],
            "holidays": "CN",
            "closed": [dt.date(2026, 3, 19)],
            "open": [dt.date(2026, 3, 28)],
            "terms": [term],
            "sessions": [morning],
            "unit": [
                {
                    "unit": "sch-2",
                    "closed": [dt.date(2026, 4, 10)],
                    "open": [dt.date(2026, 4, 11)],
                    "weekdays": [1, 2, 3, 4, 5, 6],
                    "sessions": [morning],
                    "terms": [term],
                }
            ],
        },
        "feed": [
            {
                "id": "marks",
                "kind": "file",
                "records": "marks",
                "path": "inbox/marks*.csv",
                "poll": "5m",
                "units": ["sch-1", "sch-2"],
                "presence": "explicit",
                "hold_when_missing": 0.2,
                "stale_after": "2h",
                "rank": 1,
                "encoding": "auto",
                "format": "auto",
                "timeout": "30s",
                "max_bytes": 1000000,
                "mapping": {
                    "columns": {"学号": "student_id"},
                    "join": {"reason": ["原因", "备注"]},
                    "constant": {"mark": "present"},
                    "skip": {"mark": ["", "?"]},
                    "empty": ["NULL", "\\N"],
                    "origin": dt.date(2026, 3, 2),
                    "codes": {"旷课": "absent"},
                    "dates": "auto",
                    "sessions": {"上午": "am"},
                },
            },
            {
                "id": "leaves",
                "kind": "http",
                "records": "leaves",
                "url": "https://sis.example.org/leaves.csv",
                **secret("token", "FEED_TOKEN", "feed.token"),
                **OTHERWISE,
            },
        ],
        "rules": {
            "packs": ["statutory"],
            "files": ["rules.toml"],
            "wait_for_roll": "60m",
            "unconfirmed_after": "4h",
            "run_break": "10d",
            "mass_absence_share": 0.5,
            "mass_absence_hold": "24h",
        },
        "ladder": [
            {
                "id": "statutory",
                "acknowledged_by": ["town_government"],
                "remind_after": "24h",
                "lapses_after": "72h",
                "rung": [
                    {
                        "after": "0h",
                        "unless": "acknowledged",
                        "repeat": "24h",
                        "until": "acted",
                        "reach": "first",
                        "fall_back": "15m",
                        "tell": ["town_head"],
                        "channels": ["sms", "email", "webhook"],
                    }
                ],
            }
        ],
        "duty": [
            {
                "role": "town_government",
                "unit": "t-1",
                "contacts": ["town-1", "town-2"],
                "from": dt.date(2026, 3, 2),
                "handover": dt.time(8),
                "every": "7d",
                "timezone": "Asia/Shanghai",
                "on_holidays": ["town-2", "town-3"],
                "substitute": [
                    {"contact": "town-1", "by": "town-3", "from": dt.date(2026, 3, 16), "to": dt.date(2026, 3, 20)}
                ],
            }
        ],
        "hours": [
            {
                "id": "day",
                "from": dt.time(7),
                "to": dt.time(21),
                "weekdays": [1, 2, 3, 4, 5],
                "timezone": "Asia/Urumqi",
                "holidays": "CN",
                "closed": [dt.date(2026, 5, 4)],
                "open": [dt.date(2026, 5, 9)],
                "roles": ["class_teacher"],
                "contacts": ["k-17"],
                "exempt": ["report"],
            }
        ],
        "pacing": {
            "wait": "10s",
            "throttle": [
                {
                    "channel": "sms",
                    "most": 3,
                    "within": "10m",
                    "urgent": True,
                    "roles": ["class_teacher"],
                    "contacts": ["k-17"],
                }
            ],
        },
        "network": {
            "ca_file": "county-ca.pem",
            "proxy": "http://proxy.example.org:3128",
            "proxy_username": "office",
            **secret("proxy_password", "PROXY_PASSWORD", "proxy.password"),
            "no_proxy": ["sis.example.org", ".county.example.org", "10.0.0.0/8"],
            "proxy_from_environment": False,
        },
        "channels": {
            "email": {
                "host": "127.0.0.1",
                "port": 2525,
                "security": "none",
                "from": "控辍保学 <baoxue@example.org>",
                "username": "baoxue",
                **secret("password", "MAIL_PASSWORD", "mail.password"),
                "timeout": "5m",
                "answer_timeout": "10m",
                "ca_file": "county-ca.pem",
                "bounce_to": "bounces@example.org",
                "bounce_tag": "+",
                "notify": ["failure", "delay"],
                "bounces": {"kind": "maildir", "path": "Maildir"}
                if box == "maildir"
                else {
                    "kind": "imap",
                    "host": "127.0.0.1",
                    "port": 1143,
                    "security": "none",
                    "username": "bounces",
                    **secret("password", "BOX_PASSWORD", "box.password"),
                    "folder": "INBOX",
                    "timeout": "20s",
                    "ca_file": "county-ca.pem",
                },
            },
            "sms": _sms(sms, secret),
            "chat": {
                "endpoints": {
                    "hedong": {
                        "provider": "dingtalk",
                        **secret("url", "ROBOT_URL", "robot.url"),
                        **secret("secret", "ROBOT_SECRET", "robot.secret"),
                        "keyword": "保学",
                        "timeout": "20s",
                        **OTHERWISE,
                    }
                }
            },
            "webhook": {
                "timeout": "20s",
                **OTHERWISE,
                "transport": "curl",
                "endpoints": {
                    "edu": {
                        "url": "http://127.0.0.1:9903/hook",
                        **secret("secret", "HOOK_SECRET", "hook.secret"),
                    }
                },
            },
        },
        "privacy": secret("key", "KEYS", "baoxue.key"),
        "backup": {"folder": "/var/backups/baoxue", "keep": 14, "overdue_after": "26h"},
        "heartbeat": {**secret("url", "HEARTBEAT_URL", "heartbeat.url"), "every": "5m", "method": "GET", **OTHERWISE},
        "console": {"listen": "127.0.0.1:8080", "public_url": "https://baoxue.example.gov.cn"},
    }


def _sms(provider: str, secret: Callable[[str, str, str], dict[str, str]]) -> dict[str, Any]:
    """`[channels.sms]` with every key of one provider."""
    cloud = {
        "timeout": "20s",
        **OTHERWISE,
        "replies": True,
        "sign_name": "青禾县教育局",
        "endpoint": "https://sms.example.org",
        **secret("receipts_token", "SMS_RECEIPTS", "sms.receipts"),
        "template": [
            {
                "id": "SMS_1",
                "kinds": ["report"],
                "language": "zh",
                "parameters": [{"fact": "case", "name": "case_no", "longest": 20}],
            },
            {"id": "SMS_2", "parameters": [{"fact": "school", "longest": 6}]},
        ],
    }
    tables: dict[str, dict[str, Any]] = {
        "http": {
            "url": "http://127.0.0.1:9902/sms",
            "method": "POST",
            "body": "{}",
            **secret("token", "SMS_TOKEN", "sms.token"),
            **secret("receipts_token", "SMS_RECEIPTS", "sms.receipts"),
            **secret("receipts_secret", "SMS_HOOK", "sms.hook"),
            "timeout": "20s",
            **OTHERWISE,
            "headers": {"X-Channel": "baoxue"},
            "replies": True,
            "ok_field": "result.0.code",
            "repeated_values": ["DUPLICATE"],
            "push_fields": {"id": "custid", "status": "stat"},
            "push_statuses": {"0": "delivered"},
            "push_answer": "ok",
            "ok_value": "OK",
            "permanent_values": ["4001"],
            "id_field": "result.0.sid",
        },
        "aliyun": {
            **cloud,
            "access_key_id": "LTAI5tExample",
            **secret("access_key_secret", "SMS_KEY", "sms.key"),
        },
        "tencent": {
            **cloud,
            "secret_id": "AKIDExample",
            **secret("secret_key", "SMS_KEY", "sms.key"),
            "app_id": "1400006666",
            "region": "ap-guangzhou",
        },
        "gammu": {"spool": "spool", "delivery_reports": True, "replies": True},
    }
    return {"provider": provider, **tables[provider]}


@cache
def _certificate() -> str:
    with tempfile.TemporaryDirectory() as folder:
        return Authority(Path(folder)).certificates


def furnish(folder: Path) -> None:
    """Lay the files the sample refers to into `folder`."""
    (folder / "rules.toml").touch()
    (folder / "county-ca.pem").write_text(_certificate(), encoding="utf-8")
    for name, content in SECRETS.items():
        (folder / name).write_text(content, encoding="utf-8")
        (folder / name).chmod(0o600)


def at(values: Any, place: Place) -> Any:  # noqa: ANN401 - any TOML value
    """The value at `place`."""
    for step in place:
        values = values[step]
    return values


def changed(values: dict[str, Any], place: Place, value: object) -> dict[str, Any]:
    """A copy with another value at `place`."""
    copied = copy.deepcopy(values)
    at(copied, place[:-1])[place[-1]] = value
    return copied


def without(values: dict[str, Any], place: Place) -> dict[str, Any]:
    """A copy without `place`."""
    copied = copy.deepcopy(values)
    del at(copied, place[:-1])[place[-1]]
    return copied


def renamed(values: dict[str, Any], place: Place, name: str) -> dict[str, Any]:
    """A copy with the key at `place` called otherwise."""
    return changed(without(values, place), (*place[:-1], name), at(values, place))


class Page:
    """TOML as written line by line: a header for every table, one key a line; `lines` says where each stands."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._written = ["# a configuration"]
        self.lines: dict[Place, int] = {(): 1}
        self._table(values, ())

    @property
    def text(self) -> str:
        """The whole page."""
        return "\n".join(self._written) + "\n"

    def _table(self, values: dict[str, Any], place: Place) -> None:
        plain = {key: value for key, value in values.items() if not _is_tables(value)}
        for key, value in plain.items():
            self._write((*place, key), f"{_key(key)} = {_inline(value)}")
        for key in values.keys() - plain.keys():
            below = values[key]
            rows = [(key, below)] if isinstance(below, dict) else [((key, n), row) for n, row in enumerate(below)]
            for step, row in rows:
                here = (*place, *(step if isinstance(step, tuple) else (step,)))
                header = ".".join(_key(one) for one in here if isinstance(one, str))
                self._write(here, f"[{header}]" if isinstance(below, dict) else f"[[{header}]]")
                self.lines.setdefault((*place, key), self.lines[here])
                self._table(row, here)

    def _write(self, place: Place, line: str) -> None:
        self._written.append(line)
        self.lines[place] = len(self._written)


def _is_tables(value: object) -> bool:
    several = isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)
    return isinstance(value, dict) or several


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "").replace("-", "").isalnum() else json.dumps(name)


def _inline(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_inline(one) for one in value)}]"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)
