"""An office in a Debian: its tables, its configuration, and a gateway that keeps what it is handed."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.deploy.debian import Debian

TOKEN = "the token of the office's gateway"
GATEWAY = "http://127.0.0.1:9902/sms"
_TAKEN = "taken.jsonl"
_RECEIVER = f"""
import http.server, json
class Gateway(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with open("/root/{_TAKEN}", "a") as kept:
            kept.write(json.dumps({{"authorization": self.headers["Authorization"], "body": body}}) + "\\n")
        self.send_response(200); self.end_headers(); self.wfile.write(b"{{}}")
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", 9902), Gateway).serve_forever()
"""

CONFIG = """
[service]
district = "610999"
database = "sqlite:////var/lib/baoxue/baoxue.db"
mode = "shadow"

[calendar]
terms = [{{ from = {first}, to = {last} }}]
sessions = [
  {{ name = "am", start = 08:00:00, end = 11:40:00 }},
  {{ name = "pm", start = 14:00:00, end = 17:00:00 }},
]
weekdays = [1, 2, 3, 4, 5, 6, 7]
holidays = "none"

{feeds}
units = ["610999"]

[[ladder]]
id = "statutory"
acknowledged_by = ["education_office"]

[[ladder.rung]]
after = "0h"
tell = ["town_government", "education_office", "mentor"]
channels = ["sms"]

[channels.sms]
url = "{gateway}"
token_file = "secrets/sms.token"

[privacy]
key_file = "secrets/baoxue.key"

[backup]
folder = "/var/backups/baoxue"
"""

_UNITS = """unit_id,kind,parent_id,name
610999,county,,青坪县
t-1,town,610999,河东镇
sch-1,school,t-1,河东小学
k-1,class,sch-1,三年级一班
"""
_STUDENTS = "student_id,name,class_id,residence_id\ns-1,张三,k-1,t-1\ns-2,李四,k-1,t-1\n"
_CONTACTS = """role,unit_id,name,phone
town_government,t-1,甲,13800000001
education_office,610999,乙,13800000002
mentor,k-1,丙,13800000003
class_teacher,k-1,丁,13800000004
principal,sch-1,戊,13800000005
operator,610999,己,13800000006
"""


def configuration(today: dt.date) -> str:
    """Return the configuration that an office writes which begins today."""
    feeds = "\n".join(
        f'[[feed]]\nid = "{name}"\nkind = "file"\nrecords = "{name}"\npath = "/srv/baoxue/inbox/{name}*.csv"'
        for name in ("units", "students", "contacts", "marks")
    )
    span = dt.timedelta(days=60)
    return CONFIG.format(first=today - span, last=today + span, feeds=feeds, gateway=GATEWAY)


def furnish(debian: Debian, now: dt.datetime) -> None:
    """Put tables, an editor that writes the configuration, and the gateway into a Debian."""
    local = now.astimezone(ZoneInfo("Asia/Shanghai"))
    home = debian.root / "root"
    tables = home / "tables"
    tables.mkdir()
    for name, text in (("units", _UNITS), ("students", _STUDENTS), ("contacts", _CONTACTS), ("marks", _marks(local))):
        (tables / f"{name}.csv").write_text(text, encoding="utf-8")
    (home / "config.toml").write_text(configuration(local.date()), encoding="utf-8")
    editor = debian.root / "usr/local/bin/editor"
    editor.write_text('#!/bin/sh\ncat /root/config.toml > "$1"\n', encoding="ascii")
    editor.chmod(0o755)
    (home / "gateway.py").write_text(_RECEIVER, encoding="ascii")
    assert debian.run("systemd-run --quiet --unit=gateway python3 /root/gateway.py").code == 0


def carry(folder: Path, debian: Debian, name: str) -> None:
    """Carry a folder into the home of root, as on a stick."""
    shutil.copytree(folder, debian.root / "root" / name)


def taken(debian: Debian) -> list[dict[str, str]]:
    """Return what the gateway was handed so far."""
    kept = debian.root / "root" / _TAKEN
    return [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()] if kept.exists() else []


def _marks(now: dt.datetime) -> str:
    """Child s-1 was absent on the last four days and today, as far as rolls were called by now; s-2 was there."""
    days = [now.date() - dt.timedelta(days=n) for n in range(4, -1, -1)]
    called = [
        (day, session) for day in days for session, hour in (("am", 8), ("pm", 14)) if _begins(day, hour, now) <= now
    ]
    rows = [
        f"{child},{day},{session},{mark}"
        for day, session in called
        for child, mark in (("s-1", "absent"), ("s-2", "present"))
    ]
    return "\n".join(("student_id,date,session,mark", *rows, ""))


def _begins(day: dt.date, hour: int, now: dt.datetime) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), now.tzinfo)
