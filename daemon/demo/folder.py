"""The folder of the demonstration: a configuration like any operator's, its keys, and the rosters."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from daemon.config import Config, load_config
from daemon.demo.county import DISTRICT, ENDPOINT, SCHOOLS, County, School, unit_rows
from daemon.store.keys import Keyring

TERM = (dt.date(2026, 3, 2), dt.date(2026, 7, 10))
ZONE = "Asia/Shanghai"

COLUMNS = {"学号": "student_id", "日期": "date", "节次": "session", "考勤": "mark", "登记时间": "recorded_at"}
CODES = {"出勤": "present", "迟到": "late", "旷课": "absent", "请假": "leave"}
SESSIONS = {"上午": "am", "下午": "pm"}

SECRET = base64.b64encode(b"the ear of the demonstration").decode()


def lay_out(folder: Path, county: County, *, mail_port: int, sms_url: str, hook_url: str, console: str) -> Config:
    """Write everything the daemon needs into `folder`; the configuration, read the way an operator's is."""
    for place in ("inbox", *(f"inbox/{school.unit_id}" for school in SCHOOLS)):
        (folder / place).mkdir(parents=True, exist_ok=True)
    write_table(folder / "inbox/units.csv", ("unit_id", "kind", "parent_id", "name"), unit_rows(county))
    students = ("student_id", "name", "class_id", "grade", "residence_id")
    rows = [
        (one.student_id, one.name, one.class_id, room.grade, one.residence_id or "")
        for room in county.rooms
        for one in room.children
    ]
    write_table(folder / "inbox/students.csv", students, rows)
    contacts = ("role", "unit_id", "name", "phone", "email", "endpoint")
    told = [(one.role, one.unit_id, one.name, one.phone, one.email, one.endpoint) for one in county.contacts]
    write_table(folder / "inbox/contacts.csv", contacts, told)
    _write_secret(folder / "baoxue.key", Keyring.generate("demo"))
    _write_secret(folder / "hook.secret", SECRET + "\n")
    text = _config(mail_port=mail_port, sms_url=sms_url, hook_url=hook_url, console=console)
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return load_config(folder / "config.toml", {})


def write_table(path: Path, columns: Iterable[str], rows: Iterable[Iterable[str]], *, encoding: str = "utf-8") -> None:
    """A CSV that is there whole or not at all, as a careful export does it."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([list(columns), *rows])
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(text.getvalue().encode(encoding))
    partial.replace(path)


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(text)


def _config(*, mail_port: int, sms_url: str, hook_url: str, console: str) -> str:
    feeds = "".join(
        _feed(name, f"inbox/{name}*.csv") for name in ("units", "students", "contacts", "leaves", "movements")
    )
    marks = "".join(_marks_feed(school) for school in SCHOOLS)
    return _CONFIG.format(
        district=DISTRICT,
        zone=ZONE,
        first=TERM[0],
        last=TERM[1],
        feeds=feeds + marks,
        mail_port=mail_port,
        sms_url=sms_url,
        endpoint=ENDPOINT,
        hook_url=hook_url,
        console=console,
    )


def _feed(records: str, path: str, *, name: str = "", more: str = "") -> str:
    return f'\n[[feed]]\nid = "{name or records}"\nkind = "file"\nrecords = "{records}"\npath = "{path}"\n{more}'


def _marks_feed(school: School) -> str:
    more = f'units = ["{school.unit_id}"]\n'
    if school.export != "plain":
        more += f'encoding = "{school.export}"\n[feed.mapping]\n'
        for key, words in (("columns", COLUMNS), ("codes", CODES), ("sessions", SESSIONS)):
            more += f"{key} = {_inline(words)}\n"
    return _feed("marks", f"inbox/{school.unit_id}/marks*.csv", name=f"marks-{school.unit_id}", more=more)


def _inline(words: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f'"{theirs}" = "{ours}"' for theirs, ours in words.items()) + " }"


_CONFIG = """\
# The configuration of a demonstration; config.example.toml explains every key. 演示用配置。
[service]
district = "{district}"
timezone = "{zone}"
language = "zh"
database = "sqlite:///baoxue.db"

[calendar]
terms = [{{ from = {first}, to = {last} }}]
weekdays = [1, 2, 3, 4, 5]
holidays = "CN"
sessions = [{{ name = "am", start = 08:00:00, end = 11:40:00 }}, {{ name = "pm", start = 14:00:00, end = 17:00:00 }}]
{feeds}
[[ladder]]
id = "statutory"
acknowledged_by = ["town_government", "education_office"]

[[ladder.rung]]
after = "0h"
tell = ["town_government", "education_office", "mentor"]
channels = ["sms", "email", "webhook"]

[[ladder.rung]]
after = "24h"
unless = "acknowledged"
tell = ["town_head", "education_director"]
channels = ["sms"]

[channels.email]
host = "127.0.0.1"
port = {mail_port}
security = "none"
from = "控辍保学 <baoxue@example.org>"

[channels.sms]
url = "{sms_url}"

[channels.webhook.endpoints.{endpoint}]
url = "{hook_url}"
secret_file = "hook.secret"

[privacy]
key_file = "baoxue.key"

[console]
listen = "{console}"
public_url = "http://{console}"
"""
