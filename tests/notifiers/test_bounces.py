"""The box that bounces come to: read, told, and marked when what it said is kept; never emptied."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from pathlib import Path

import pytest

from notifiers.bounces import ReturnedEmail
from notifiers.contract import DeliveryError, Gatherer, Heard
from notifiers.email import Email, EmailSettings
from notifiers.mailboxes import Imap, Maildir
from tests.imap import ImapServer
from tests.notifiers.letters import closed_port, message, noon
from tests.notifiers.returned import A_PERSON, OURS, OUT_OF_OFFICE, QQ, report
from tests.notifiers.returned_elsewhere import NOTHING_OF_OURS
from tests.opensmtpd import BOUNCES, DOMAIN, MISSING, installed, opensmtpd
from tests.phones import SmtpSink

SETTINGS = EmailSettings("127.0.0.1", "控辍保学 <baoxue@example.org>")


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


def put(maildir: Path, name: str, mail: bytes) -> None:
    (maildir / name).write_bytes(mail)


def lying(maildir: Path) -> list[str]:
    return sorted(str(path.relative_to(maildir)) for path in maildir.rglob("*") if path.is_file())


def told(heard: Heard) -> list[tuple[str | None, str]]:
    return [(one.message_id, one.status) for one in heard.reports]


def test_mail_without_a_box_for_bounces_cannot_be_asked() -> None:
    assert not isinstance(Email(SETTINGS, noon), Gatherer)
    assert isinstance(ReturnedEmail(SETTINGS, noon, Maildir(Path("/nowhere"))), Gatherer)


def test_what_lies_in_a_maildir_is_told_and_marked_when_it_is_kept(maildir: Path) -> None:
    put(maildir, "new/1.host", report("failed", "5.1.1"))
    put(maildir, "cur/2.host:2,", QQ)
    put(maildir, "cur/3.host:2,FS", report("failed", "5.1.1"))
    put(maildir, "new/4.host", OUT_OF_OFFICE)
    channel = ReturnedEmail(SETTINGS, noon, Maildir(maildir))

    heard = channel.gather(())
    assert told(heard) == [(OURS, "failed"), (OURS, "failed")]
    assert told(channel.gather(())) == told(heard), "what is not confirmed comes again"
    again = channel.gather(())
    channel.confirm(again)

    assert told(channel.gather(())) == []
    assert lying(maildir) == ["cur/1.host:2,S", "cur/2.host:2,S", "cur/3.host:2,FS", "cur/4.host:2,S"]


def test_a_mail_that_goes_away_while_it_is_read_harms_nothing(maildir: Path) -> None:
    put(maildir, "new/1.host", report("failed", "5.1.1"))
    put(maildir, "new/2.host", A_PERSON)
    channel = ReturnedEmail(SETTINGS, noon, Maildir(maildir))
    heard = channel.gather(())
    (maildir / "new/1.host").unlink()

    channel.confirm(heard)

    assert lying(maildir) == ["cur/2.host:2,S"]


def test_what_is_no_maildir_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="no Maildir"):
        ReturnedEmail(SETTINGS, noon, Maildir(tmp_path)).gather(())


# ---- IMAP -----------------------------------------------------------------------------------------------------------


def box_on(server: ImapServer, **other: str) -> Imap:
    given = {"password": server.password, "folder": "Bounces", **other}
    return Imap("127.0.0.1", server.user, port=server.port, security="none", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("demands_id", [False, True], ids=["any client", "only one that says what it is"])
def test_what_lies_on_an_imap_server_is_told_and_flagged_when_it_is_kept(demands_id: bool) -> None:  # noqa: FBT001
    with ImapServer(demands_id=demands_id) as server:
        box = server.folders["Bounces"]
        first, second = box.add(report("failed", "5.1.1")), box.add(OUT_OF_OFFICE)
        channel = ReturnedEmail(SETTINGS, noon, box_on(server))

        heard = channel.gather(())
        assert (told(heard), box.seen) == ([(OURS, "failed")], set())
        channel.confirm(heard)

        assert box.seen == {first, second}
        assert told(channel.gather(())) == []
        assert len(box.mails) == 2


def test_an_imap_servers_huge_mail_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifiers.bounces.LONGEST", 4_000)
    with ImapServer() as server:
        server.folders["Bounces"].add(report("failed", "5.1.1", headers="X: y\n") + b"x" * 100_000)
        found = box_on(server).unread(10, 4_000)
        assert [len(mail) for _, mail in found] == [4_000]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"password": "no such secret"}, "refused the login"), ({"folder": "Elsewhere"}, "the folder")],
    ids=["a wrong password", "no such folder"],
)
def test_an_imap_server_that_refuses_is_told_without_secrets(wrong: dict[str, str], said: str) -> None:
    with ImapServer() as server, pytest.raises(DeliveryError, match=said) as caught:
        box_on(server, **wrong).unread(10, 4_000)
    assert not caught.value.permanent
    assert "secret" not in str(caught.value)


def test_an_imap_server_that_is_not_there_or_hangs_up_is_told() -> None:
    with pytest.raises(DeliveryError, match="not reached"):
        Imap("127.0.0.1", "u", "p", port=closed_port(), security="none").unread(1, 10)
    with ImapServer() as server:
        server.drops_after = "UID"
        with pytest.raises(DeliveryError, match="connection was lost"):
            box_on(server).unread(1, 10)


def test_a_folder_imap_would_read_otherwise_is_refused() -> None:
    with pytest.raises(ValueError, match="folder"):
        Imap("127.0.0.1", "u", "p", folder='x" y')


# ---- where they are sent back to ------------------------------------------------------------------------------------


def test_bounces_are_asked_for_at_an_address_of_their_own() -> None:
    with SmtpSink(dsn=True) as sink:
        settings = EmailSettings(
            "127.0.0.1",
            "控辍保学 <baoxue@example.org>",
            sink.port,
            bounce_to="returned@bounces.example",
            notify=("failure", "success"),
        )
        channel = Email(settings, noon)
        channel.send(message("office@town.example", message_id=OURS))
        channel.close()
        sink.expects("office@town.example")
    [envelope] = sink.envelopes
    assert envelope.mail.startswith("<returned@bounces.example>") or "returned@bounces.example" in envelope.mail
    assert f"ENVID={OURS}" in envelope.mail
    assert "NOTIFY=FAILURE,SUCCESS" in envelope.rcpt


def test_with_a_tag_each_mail_is_sent_back_to_an_address_of_its_own_and_known_by_it(maildir: Path) -> None:
    with SmtpSink() as sink:
        settings = EmailSettings(
            "127.0.0.1", "baoxue@example.org", sink.port, bounce_to="returned@example.org", bounce_tag="+"
        )
        channel = ReturnedEmail(settings, noon, Maildir(maildir))
        channel.send(message("office@town.example", message_id=OURS))
        channel.close()
        sink.expects("office@town.example")
    [envelope] = sink.envelopes
    assert f"<returned+{OURS}@example.org>" in envelope.mail

    put(maildir, "new/1.host", f"Delivered-To: returned+{OURS}@example.org\r\n".encode() + NOTHING_OF_OURS)
    assert told(channel.gather(())) == [(OURS, "failed")]


def test_a_tag_without_an_address_of_its_own_is_refused() -> None:
    with pytest.raises(ValueError, match="bounce_tag needs bounce_to"):
        EmailSettings("127.0.0.1", "baoxue@example.org", bounce_tag="+")


def test_an_address_for_bounces_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="bounce_to"):
        EmailSettings("127.0.0.1", "baoxue@example.org", bounce_to="Bounces <b@example.org>")


@pytest.mark.skipif(not installed(), reason=MISSING)
def test_what_a_real_server_cannot_deliver_comes_back_and_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    box, own = tmp_path / "box", f"m-{uuid.uuid4().hex}"
    for folder in (box, box / "new", box / "cur"):
        folder.mkdir()
        folder.chmod(0o777)
    for parent in list(tmp_path.parents)[:3]:
        parent.chmod(parent.stat().st_mode | 0o055)
    with SmtpSink(strict=False) as sink, opensmtpd(relay_to=sink.port, bounces=box) as port:
        sink.refuses("RCPT", "550 5.1.1 nobody of that name", times=10)
        settings = EmailSettings(
            "127.0.0.1", "baoxue@example.org", port, bounce_to=f"returned@{BOUNCES}", timeout=dt.timedelta(seconds=10)
        )
        channel = ReturnedEmail(settings, noon, Maildir(box))
        channel.send(message(f"{own}@{DOMAIN}", message_id=own))
        heard = _gathered(channel, own)
        channel.close()
    assert [one for one in told(heard) if one[0] == own] == [(own, "failed")]


def _gathered(channel: ReturnedEmail, message_id: str) -> Heard:
    """What comes back, until a message has or half a minute is over; the server may return those of others, too."""
    until = time.monotonic() + 30
    while True:
        heard = channel.gather(())
        if time.monotonic() > until or any(one.message_id == message_id for one in heard.reports):
            return heard
        time.sleep(0.2)
