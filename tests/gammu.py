"""A real gammu-smsd with the dummy phone that gammu brings along, as Debian packages them."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SMSD = shutil.which("gammu-smsd", path="/usr/bin:/usr/local/bin")
MISSING = "needs gammu-smsd"
_PATIENCE = 20.0

_SETTINGS = """
[gammu]
model = dummy
connection = none
device = {folder}/phone
[smsd]
service = files
logfile = {folder}/smsd.log
debuglevel = 255
outboxpath = {folder}/outbox/
sentsmspath = {folder}/sent/
errorsmspath = {folder}/error/
inboxpath = {folder}/inbox/
inboxformat = unicode
transmitformat = auto
deliveryreport = sms
commtimeout = 1
receivefrequency = 1
loopsleep = 1
checksecurity = 0
checknetwork = 0
hangupcalls = 0
resetfrequency = 0
statusfrequency = 0
"""
_RECEIVED = """[SMSBackup000]
Number = "{number}"
NumberUnicode = {number_hex}
State = UnRead
Coding = Unicode_No_Compression
Folder = 1
Length = {length}
Text00 = {text_hex}
SMSC = "+8613800100500"
Class = -1
PDU = Deliver
DateTime = 20260318T040100
RejectDuplicates = False
ReplaceMessage = 0
RejectDuplicates = False
"""


def installed() -> bool:
    """Whether gammu-smsd can be started here."""
    return SMSD is not None


@dataclass(frozen=True)
class Running:
    """A running smsd; waits for what it does with files."""

    folder: Path

    def moves(self, name: str) -> None:
        """Wait until a file stands where smsd moves it."""
        self._until((self.folder / name).exists, name)

    def receives(self) -> None:
        """Wait until something whole lies in the inbox."""
        self._until(lambda: any(path.stat().st_size for path in (self.folder / "inbox").iterdir()), "the inbox")

    def log(self) -> str:
        """What it wrote down."""
        return (self.folder / "smsd.log").read_text(encoding="utf-8", errors="replace")

    def _until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not done():
            assert time.monotonic() < deadline, f"smsd did not get to {what}"
            time.sleep(0.05)


@contextlib.contextmanager
def smsd(folder: Path) -> Iterator[Running]:
    """A running smsd over the four folders in `folder`; it is stopped at the end."""
    assert SMSD is not None
    (folder / "phone").mkdir(exist_ok=True)
    settings = folder / "gammu-smsdrc"
    settings.write_text(_SETTINGS.format(folder=folder), encoding="utf-8")
    with subprocess.Popen(  # noqa: S603 - the packaged daemon, on settings made above
        [SMSD, "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"LANG": "C.UTF-8"}
    ) as server:
        try:
            yield Running(folder)
        finally:
            server.terminate()
            server.wait(timeout=20)


def phone_hears(folder: Path, number: str, text: str) -> None:
    """Put a message into the dummy phone, as if it had been received."""
    inbox = folder / "phone" / "sms" / "1"
    inbox.mkdir(parents=True)
    (inbox / "1").write_text(
        _RECEIVED.format(
            number=number,
            number_hex=number.encode("utf-16-be").hex().upper(),
            length=len(text),
            text_hex=text.encode("utf-16-be").hex().upper(),
        ),
        encoding="utf-8",
    )
