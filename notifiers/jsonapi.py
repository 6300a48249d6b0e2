"""One provider's HTTP interface that answers in JSON, refusals included."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from notifiers.answers import place_of, replaced_by_page
from notifiers.contract import DeliveryError, Fault
from notifiers.network import DIRECT, Network
from notifiers.provider import Now


class JsonApi:
    """Sends what it is given and reads the answer as JSON; does not know what any field of it means.

    A refusal (4xx) is an answer, too: its body says why. What is no JSON raises DeliveryError.
    """

    def __init__(self, *, timeout: dt.timedelta, now: Now, network: Network = DIRECT) -> None:
        # Providers are declared wherever the configuration is read, and requests is slow to load.
        from notifiers.http import HttpSender, Request  # noqa: PLC0415 - see above

        self._http = HttpSender(timeout=timeout, now=now, network=network, refusals=True, max_answer=1024 * 1024)
        self._request = Request

    def call(self, url: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> tuple[int, Any]:
        """The status and the parsed body of one answer; raises DeliveryError when there is none to be read."""
        answer = self._http.send(self._request(url, body, headers, method))
        try:
            return answer.status, json.loads(answer.body)
        except ValueError:
            taken = answer.status < 300  # noqa: PLR2004 - the statuses of success
        place = place_of(url)
        if answer.is_page:
            raise replaced_by_page(place, answer.status)
        if taken:
            raise DeliveryError(f"{place}: the answer is no JSON", doubtful=True)
        raise DeliveryError(f"{place}: answered {answer.status} without a reason", Fault.ACCOUNT)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
