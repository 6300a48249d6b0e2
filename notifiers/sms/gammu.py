"""Text messages through a GSM modem: files laid into the folders of gammu-smsd, and read back from them."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from notifiers.contract import DeliveryError, Fault, Heard, Message, NotHeardError, Receipt, Reply, Report, Waiting
from notifiers.provider import REPLIES, Key, Now, Provider, SettingError, Settings
from notifiers.sms.pushes import e164, text_of

FOLDERS = ("outbox", "sent", "error", "inbox")
"""What gammu-smsdrc calls OutboxPath, SentSMSPath, ErrorSMSPath and InboxPath, below one folder."""

_OURS = re.compile(r"OUT[A-Z]\d{8}_\d{6}_\d+_\+?\d+_([A-Za-z0-9-]+)\.txtd?")
_THEIRS = re.compile(r"IN(\d{8})_(\d{6})_(\d\d)_(\+?\d{3,20})_(\d\d)\.txt")
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_STATUS: Mapping[str, Literal["delivered", "failed", "delayed"]] = {
    "Delivered": "delivered",
    "Failed": "failed",
    "Pending": "delayed",
}
"""The whole text of a delivery report, as gammu words it."""

_STUCK = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class GammuSettings:
    """Where gammu-smsd keeps its folders, and whether the network is asked for delivery reports."""

    folder: Path
    delivery_reports: bool = True


class Gammu:
    """The SMS channel over gammu-smsd with its files service; knows no modem and starts nothing.

    A message is taken over when its file stands in the outbox; its id stands in the name, so that a second attempt
    finds the first. That it left the modem is no delivery: only a report of the network's is.
    """

    channel = "sms"
    overhears = True

    def __init__(self, settings: GammuSettings, now: Now) -> None:
        self._settings = settings
        self._now = now
        self._read: list[tuple[Report | Reply, Path]] = []

    def send(self, message: Message) -> Receipt:
        """Lay one message into the outbox, whole or not at all; raise DeliveryError when it cannot be."""
        if not _NUMBER.fullmatch(message.address):
            raise DeliveryError("the address is no telephone number", Fault.ADDRESS)
        note = re.sub(r"[^A-Za-z0-9-]", "-", message.message_id)
        fault: DeliveryError
        try:
            if not any(self._named(folder, note) for folder in ("outbox", "sent")):
                self._lay(f"OUTA{self._now():%Y%m%d_%H%M%S}_00_{message.address}_{note}.txt", message.text)
            return Receipt(provider_id=None, detail="outbox")
        except OSError as error:
            fault = DeliveryError(f"the modem's outbox cannot be written: {error.strerror}", Fault.ACCOUNT)
        raise fault

    def gather(self, waiting: Sequence[Waiting]) -> Heard:
        """What the folders say: what failed, what is stuck, what the network reported, and who answered."""
        fault: DeliveryError
        try:
            self._read = [*self._failed(), *self._received(waiting)]
            found = list(dict.fromkeys(said for said, _ in self._read))
            reports = [*(one for one in found if isinstance(one, Report)), *self._stuck()]
            return Heard(tuple(reports), tuple(one for one in found if isinstance(one, Reply)))
        except OSError as error:
            fault = DeliveryError(f"the modem's folders cannot be read: {error.strerror}", Fault.ACCOUNT)
        raise fault

    def confirm(self, heard: Heard) -> None:
        """Delete the files of what is kept elsewhere now, and those of messages that left a day ago."""
        kept = [path for said, path in self._read if said in heard.reports or said in heard.replies]
        for path in [*kept, *self._old()]:
            with contextlib.suppress(OSError):  # it will be read again, and is known by then
                path.unlink()
        self._read = [one for one in self._read if one[1] not in kept]

    def close(self) -> None:
        """Nothing is open."""

    def _lay(self, name: str, text: str) -> None:
        """Write a file under a name smsd passes over, and move it to its own at once."""
        outbox = self._settings.folder / "outbox"
        hidden = outbox / f".{name}"
        with hidden.open("wb") as file:
            # gammu guesses the encoding of what has no byte order mark from a locale that a daemon does not have.
            file.write(b"\xfe\xff" + text.encode("utf-16-be"))
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(outbox / (f"{name}d" if self._settings.delivery_reports else name))

    def _named(self, folder: str, note: str) -> list[Path]:
        return [path for found, path in self._mine(folder) if found == note]

    def _mine(self, folder: str) -> Iterator[tuple[str, Path]]:
        """The messages of ours in a folder, by their ids."""
        for path in sorted((self._settings.folder / folder).iterdir()):
            if found := _OURS.fullmatch(path.name):
                yield found[1], path

    def _failed(self) -> Iterator[tuple[Report, Path]]:
        for note, path in self._mine("error"):
            failed = Report("failed", _moved(path), message_id=note, detail="modem", fault=Fault.ACCOUNT)
            yield (
                failed,
                path,
            )  # the modem, its card or its network: a number that cannot be reached is told by a report

    def _stuck(self) -> Iterator[Report]:
        """Messages that do not leave: no modem, no network, or no smsd."""
        for note, path in self._mine("outbox"):
            since = _moved(path)
            if self._now() - since > _STUCK:
                yield Report("delayed", since, message_id=note, detail="outbox")

    def _received(self, waiting: Sequence[Waiting]) -> Iterator[tuple[Report | Reply, Path]]:
        """Answers, each of all its parts, and delivery reports; what is neither is left where it is."""
        sent = {one.address: one for one in sorted(waiting, key=lambda one: one.sent_at, reverse=True)}
        for parts in _whole(sorted((self._settings.folder / "inbox").iterdir())):
            text, first = "".join(_text(path) for path in parts), parts[0]
            found = _THEIRS.fullmatch(first.name)
            with contextlib.suppress(NotHeardError):
                sender = e164(found[4] if found else "")
                at, status = _moved(first), _STATUS.get(text)
                if status is not None and sender in sent:
                    one = sent.pop(sender)  # of several to one number the oldest is reported first
                    yield from ((Report(status, at, one.message_id, detail=status), path) for path in parts)
                else:
                    name = first.name.removesuffix(".txt")
                    yield from ((Reply(sender, text_of(text), at, reply_id=name), path) for path in parts)

    def _old(self) -> list[Path]:
        day_ago = self._now() - dt.timedelta(days=1)
        return [path for _, path in self._mine("sent") if _moved(path) < day_ago]


def _whole(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Files received, those of one message together."""
    together: dict[tuple[str, ...], list[Path]] = {}
    for path in paths:
        # A file that is empty is just being written.
        if (found := _THEIRS.fullmatch(path.name)) and path.stat().st_size:
            together.setdefault(found.groups()[:4], []).append(path)
    return iter(together.values())


def _text(path: Path) -> str:
    """What a received file says: UTF-16 with a byte order mark (InboxFormat = unicode), else UTF-8."""
    content = path.read_bytes()
    if content[:2] in {b"\xfe\xff", b"\xff\xfe"}:
        return content.decode("utf-16", errors="replace")
    return content.decode("utf-8", errors="replace")


def _moved(path: Path) -> dt.datetime:
    return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)


def build(settings: Settings, now: Now) -> Gammu:
    """The channel as configured; raises SettingError where smsd's folders are not there."""
    folder = settings["spool"]
    missing = [name for name in FOLDERS if not (folder / name).is_dir()]
    if missing:
        raise SettingError(
            "spool", f"lacks the folders {', '.join(missing)}", "make them, and name them in gammu-smsdrc"
        )
    return Gammu(GammuSettings(folder, settings["delivery_reports"]), now)


PROVIDER = Provider(
    name="gammu",
    keys=(
        Key("spool", "folder", "the folder of gammu-smsd's four folders", example='"/var/spool/gammu"', needed=True),
        Key("delivery_reports", "flag", "whether the network is asked for delivery reports", default=True),
        REPLIES,
    ),
    build=build,
)
