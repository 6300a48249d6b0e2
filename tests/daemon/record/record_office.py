"""An office whose text messages are followed up: its channel can be asked, is pushed to, and people have mail, too."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from daemon.jobs.fallback import fall_back_late
from daemon.jobs.receipts import look_at_receipts
from daemon.jobs.send import send_due
from daemon.store import outbox, receipts
from daemon.store.engine import Store
from daemon.store.receipts import ReceiptRow
from notifiers.contract import DeliveryError, Heard, Message, NotHeardError, Pushed, Receipt, Reply, Report, Waiting
from tests.daemon.desk.county_office import Heard as Ear
from tests.daemon.desk.county_office import Office, write_county

SIGNATURE = "the signature of a test"
_CONTACTS = """role,unit_id,name,phone,email,contact_id
town_government,t-1,Tao One,13800000001,town1@example.org,town
town_head,t-1,Tao Two,13800000002,head2@example.org,head
education_office,c,Eve One,13800000003,,office
operator,c,Otto One,,otto4@example.org,operator
class_teacher,k-1,Tess One,13800000005,,teacher
principal,sch-1,Paul One,13800000006,,principal
"""


class Later(Ear):
    """A channel that gives each message an id of its own, and tells later what became of it."""

    def __init__(self, channel: str) -> None:
        super().__init__(channel)
        self.taken: list[Message] = []
        self.asked: list[tuple[str, ...]] = []
        self.overhears = False
        self.refuses: DeliveryError | None = None
        self.refuses_to_send: DeliveryError | None = None
        self._ready: list[Report] = []
        self._replies: list[Reply] = []

    def send(self, message: Message) -> Receipt:
        if self.refuses_to_send is not None:
            raise self.refuses_to_send
        super().send(message)
        self.taken.append(message)
        return Receipt(f"their-{message.message_id}")

    def will_tell(self, *reports: Report) -> None:
        """What is told when it is asked next, and until that is confirmed."""
        self._ready += reports

    def will_pass_on(self, *replies: Reply) -> None:
        self._replies += replies

    def gather(self, waiting: Sequence[Waiting]) -> Heard:
        self.asked.append(tuple(one.message_id for one in waiting))
        if self.refuses is not None:
            raise self.refuses
        return Heard(tuple(self._ready), tuple(self._replies))

    def confirm(self, heard: Heard) -> None:
        self._ready = [one for one in self._ready if one not in heard.reports]
        self._replies = [one for one in self._replies if one not in heard.replies]

    def hear(self, pushed: Pushed, now: dt.datetime) -> Heard:
        if pushed.headers.get("x-signature") != SIGNATURE and pushed.query.get("signature") != SIGNATURE:
            raise NotHeardError("no signature, or a wrong one", forged=True)
        try:
            said = json.loads(pushed.body or b"[]")
            reports = [Report(one["status"], now, provider_id=one["id"], detail=one.get("code")) for one in said]
        except (ValueError, KeyError) as error:
            raise NotHeardError("not understood", forged=False) from error
        return Heard(tuple(reports), (), b'{"code":0}', "application/json")


class RecordOffice(Office):
    """The office with two channels, all of whose jobs are done at every step."""

    def __init__(self, folder: Path, store: Store) -> None:
        config = write_county(folder)
        (folder / "contacts.csv").write_text(_CONTACTS, encoding="utf-8")
        text = config.read_text(encoding="utf-8").replace('channels = ["sms"]', 'channels = ["sms", "email"]')
        mail = '[channels.email]\nhost = "127.0.0.1"\nsecurity = "none"\nfrom = "baoxue@example.org"\n[privacy]'
        config.write_text(text.replace("[privacy]", mail), encoding="utf-8")
        super().__init__(folder, store)
        self.sms, self.mail = Later("sms"), Ear("email")
        self.phone = self.sms
        self.house.terms = replace(self.house.terms, notifiers={"sms": self.sms, "email": self.mail})

    def report_nobody_takes(self) -> str:
        """The first child is reported as in `report`, while its channel is busy; the case's number."""
        self.two_days()
        self.sms.refuses_to_send = DeliveryError("busy")
        self.roll(2, "am", "APP", "08:10")
        return self.number()

    def works(self, clock: dt.datetime | None = None) -> None:
        """Do what is due at an instant, but for polls and sweeps."""
        self.now = clock or self.now
        look_at_receipts(self.house, self.now)
        fall_back_late(self.house, self.now)
        for channel in self.house.notifiers:
            while send_due(self.house, channel, self.now):
                pass

    def mails(self) -> list[tuple[str, str]]:
        """Who got which kind of mail since the last time, by local part."""
        heard, self.mail._heard = self.mail._heard, []
        return sorted((one.address.partition("@")[0], one.template) for one in heard)

    def sent_to(self, address: str) -> Message:
        """The last message taken for a number that ends so."""
        return next(one for one in reversed(self.sms.taken) if one.address.endswith(address))

    def tells(
        self, message: Message, status: Literal["delivered", "failed", "delayed"], after: dt.timedelta, code: str = "X"
    ) -> None:
        """The channel says what became of a message so long after now, when it is asked then."""
        self.sms.will_tell(Report(status, self.now + after, provider_id=f"their-{message.message_id}", detail=code))

    def message(self, message_id: str) -> outbox.MessageRow:
        """A message as stored."""
        with self.store.read() as tx:
            return next(one.message for one in outbox.deliveries(tx) if one.message.message_id == message_id)

    def receipts(self, message_id: str) -> tuple[ReceiptRow, ...]:
        """What was said about a message."""
        with self.store.read() as tx:
            return receipts.receipts_of(tx, [message_id]).get(message_id, ())

    def told(self, number: str) -> list[tuple[str, str]]:
        """Whom the store counts as told about a case, and on which channel."""
        with self.store.read() as tx:
            found = outbox.told(tx, self.case(number).case_id)
        return sorted((one.alert.contact_id, one.alert.channel) for one in found if one.alert.kind == "report")
