"""What a gateway's HTTP 200 says: that it took the message, had it before, or did not take it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from notifiers.contract import DeliveryError, Fault, Message, Receipt

if TYPE_CHECKING:
    from notifiers.answers import Answer

_CODE = re.compile(r"[A-Za-z][\w.:-]{0,63}|-?\d{1,6}", re.ASCII)
_FLAGS = frozenset({"success", "ok", "succeeded"})
_CODES = frozenset({"code", "errcode", "errno", "error", "errorcode", "ret", "retcode", "returncode", "resultcode"})
_TAKEN = re.compile(r"0+|1|2\d\d|10000|ok|success(?:ful)?|succeeded|accepted|true|none|no ?error|", re.IGNORECASE)
"""What gateways of all makers say in such fields when they took a message."""
_STATES = frozenset({"status", "state", "result", "returnstatus", "statuscode", "respcode"})
_NO = r"-\d|fai(?:l|ld|led|lure)\b|err(?:or)?\b(?!\W*0)|rejected|refused|denied|invalid"
_SAYS_NO = re.compile(rf"\s*(?:{_NO})", re.IGNORECASE)
"""What a gateway says only when it did not take a message, wherever it says it: a 1 or a 3 may be either."""
_LONGEST_WORDS = 1000
_SAYS_NO_IN_XML = re.compile(rf"<(?:\w*status|result|state|code)>\s*(?:{_NO})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """How one gateway answers.

    `ok_field` is the field of its JSON that must equal `ok_value`; of its other values those in `permanent_values` mean
    a number it will never take, and those in `repeated_values` a message it had already. `id_field` holds its own id.
    """

    ok_field: str | None = None
    ok_value: str = "OK"
    permanent_values: tuple[str, ...] = ()
    repeated_values: tuple[str, ...] = ()
    id_field: str | None = None

    def receipt(self, answer: Answer, message: Message) -> Receipt:
        """Return what a success (2xx) says; raise DeliveryError where the message was not, or not surely, taken."""
        said = _json(answer.body)
        if answer.is_page and not isinstance(said, dict | list):
            raise _page(answer)
        if self.ok_field is not None:
            self._demand(dig(said, self.ok_field), message)
        elif said is None and (self.id_field is not None or answer.media_type.endswith("json")):
            raise DeliveryError("the gateway's answer is no JSON", doubtful=True)
        elif (refusal := _refusal(said) or _refusal_in_words(answer.body)) is not None:
            reason = f"the gateway answered {_shown(refusal, message)}, and no ok_field says what that means"
            raise DeliveryError(reason, doubtful=True)
        found = dig(said, self.id_field) if self.id_field else None
        return Receipt(provider_id=None if found is None else str(found)[:128])

    def _demand(self, said: object, message: Message) -> None:
        """Raise DeliveryError unless the field says that the message was taken."""
        if said is None:
            reason = "the gateway's answer lacks the field that says whether it took the message"
            raise DeliveryError(reason, doubtful=True)
        text = written(said)
        if text == self.ok_value:
            return
        if text in self.repeated_values:
            reason = f"the gateway had the message already: {_shown(text, message)}"
            raise DeliveryError(reason, taken_before=True)
        fault = Fault.ADDRESS if text in self.permanent_values else Fault.PASSING
        raise DeliveryError(f"the gateway did not take the message: {_shown(text, message)}", fault)


def _page(answer: Answer) -> DeliveryError:
    """Return the error for a web page: a proxy's or a login's, or of a gateway that calls any answer of its own one."""
    if answer.is_marked_up:
        return DeliveryError(f"the gateway answered {answer.status} with a web page, as a proxy would", Fault.ACCOUNT)
    return DeliveryError(f"the gateway answered {answer.status} with a text that is called a web page", doubtful=True)


def dig(value: Any, path: str) -> object:  # noqa: ANN401 - parsed JSON
    """Return the single value at a path like `result.0.code`; None where there is none."""
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value if isinstance(value, str | int | float) else None


def written(value: object) -> str:
    """Return a single value of JSON as an operator writes it."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


def parsed(body: bytes) -> Any:  # noqa: ANN401 - parsed JSON
    """Return the JSON in a body, which many gateways in China write in GBK; raise ValueError where there is none."""
    try:
        return json.loads(body)
    except UnicodeDecodeError:
        return json.loads(body.decode("gb18030"))


def _json(body: bytes) -> object:
    try:
        found: object = parsed(body)
    except ValueError:
        return None
    return found


def _refusal(said: object) -> str | None:
    """Return the value by which an answer seems to refuse, where nobody has said which field tells; None for none."""
    for key, value in said.items() if isinstance(said, dict) else ():
        name = str(key).casefold().replace("_", "")
        if name in _FLAGS and isinstance(value, bool) and not value:
            return f"{key} = false"
        if name in _CODES and isinstance(value, str | int) and not _TAKEN.fullmatch(written(value).strip()):
            return written(value) if value is not True else f"{key} = true"
        if name in _STATES and isinstance(value, str | int) and _SAYS_NO.match(written(value)):
            return written(value)
    return None


def _refusal_in_words(body: bytes) -> str | None:
    """Return how an answer in plain text or XML refuses; None for none."""
    words = body[:_LONGEST_WORDS].decode("utf-8", "replace")
    found = _SAYS_NO.match(words) or _SAYS_NO_IN_XML.search(words)
    return words.strip() if found else None


def _shown(text: str, message: Message) -> str:
    """Return a code; a value that may hold the number or the words is not shown."""
    return text if _CODE.fullmatch(text) and message.address.lstrip("+") not in text else "a value not shown"
