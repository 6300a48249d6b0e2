"""What `check` says of approved texts, and `say` shows and sends of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from daemon.clock import wall_clock
from tests.daemon.cli.conftest import Terminal
from tests.phones_aliyun import KEY_ID, KEY_SECRET, SIGN_NAME, AliyunPhone

KINDS = '["report", "escalation", "reminder", "reopened", "retraction", "return", "closed", "test"]'


GATEWAY = 'ok_field = "code"\nurl = "http://127.0.0.1:9/sms"\nsign_name = "County"\n'
"""What stands in the county's configuration of text messages."""


@pytest.fixture
def phone(terminal: Terminal) -> Iterator[AliyunPhone]:
    """The service that carries the county's texts from now on."""
    with AliyunPhone(wall_clock, strict=False) as service:
        service.approved = {"SMS_1": ("kind", "case_no")}
        path = terminal.folder / "config.toml"
        table = (
            f'provider = "aliyun"\nendpoint = "{service.url}"\naccess_key_id = "{KEY_ID}"\n'
            f'access_key_secret_file = "aliyun.secret"\nsign_name = "{SIGN_NAME}"\n'
            f'[[channels.sms.template]]\nid = "SMS_1"\nkinds = {KINDS}\n'
            'parameters = [{ fact = "kind", longest = 8 }, { fact = "case", name = "case_no" }]\n'
        )
        text = path.read_text(encoding="utf-8").replace(GATEWAY, table)
        path.write_text(text, encoding="utf-8")
        (terminal.folder / "aliyun.secret").write_text(KEY_SECRET, encoding="utf-8")
        yield service


@pytest.mark.usefixtures("phone")
def test_check_tells_the_kinds_that_go_by_another_channel(terminal: Terminal) -> None:
    result = terminal.ask("check")
    [notice] = [line for line in (result.stdout + result.stderr).splitlines() if "no approved text says" in line]
    assert "channels.sms.template" in notice
    assert "first_absence" in notice
    assert "report," not in notice


def test_say_shows_and_sends_the_template_with_its_variables(terminal: Terminal, phone: AliyunPhone) -> None:
    terminal.told("import")
    [shown] = terminal.records("say", "--to", "town", "--template", "report", "--dry-run")
    assert shown["text"] == "SMS_1 kind=报告 case_no=2026-000123"
    assert phone.requests == []
    terminal.told("say", "--to", "town", "--template", "report")
    assert phone.expects("+8613800000001").text == '{"kind": "报告", "case_no": "2026-000123"}'


@pytest.mark.usefixtures("phone")
def test_say_refuses_what_no_approved_text_says(terminal: Terminal) -> None:
    terminal.told("import")
    refused = terminal.refused("say", "--to", "town", "--template", "risk", "--dry-run", code=1)
    assert "no approved template for risk" in refused


def test_a_modem_without_its_folders_is_told_with_its_line(terminal: Terminal) -> None:
    path = terminal.folder / "config.toml"
    text = path.read_text(encoding="utf-8").replace(GATEWAY, 'provider = "gammu"\nspool = "x"\n')
    path.write_text(text, encoding="utf-8")
    line = text.splitlines().index('spool = "x"') + 1
    assert f"config.toml:{line} channels.sms.spool  lacks the folders outbox, sent, error, inbox" in terminal.refused(
        "check"
    )
