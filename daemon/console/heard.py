"""The door for providers: what they push about messages is read by their channel, kept, and only then answered.

Says nothing to anybody who cannot prove who he is, and writes down neither what he sent nor where from.
"""

from __future__ import annotations

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from daemon.jobs.house import House
from daemon.jobs.receipts import PUSHED, keep
from notifiers.contract import Listener, NotHeardError, Pushed
from notifiers.sms.push_forms import fields_of

log = structlog.get_logger()

LONGEST = 256 * 1024
"""Bytes of a push; providers bundle some hundred receipts in one."""
_LONGEST_QUERY = 8 * 1024


async def hear(house: House, request: Request) -> Response:
    """One push to `/heard/{channel}`, or to a name below it where a channel has several senders."""
    channel = request.path_params["channel"]
    listener: object = house.notifiers.get(channel)
    if not isinstance(listener, Listener):
        return _answered(house, "none", "nobody listens", 404)
    if len(request.scope.get("query_string", b"")) > _LONGEST_QUERY:
        return _answered(house, channel, "too long", 413)
    try:
        body = await _body(request)
    except ClientDisconnect:
        return _answered(house, channel, "cut off", 400)
    if body is None:
        return _answered(house, channel, "too long", 413)
    pushed = Pushed(
        path=request.url.path,
        query=fields_of(request.scope["query_string"]),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )
    return await run_in_threadpool(_heard, house, channel, listener, pushed)


async def _body(request: Request) -> bytes | None:
    """The body; None as soon as it is too long, however long it says it is."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LONGEST:
            return None
        parts.append(part)
    return b"".join(parts)


def _heard(house: House, channel: str, listener: Listener, pushed: Pushed) -> Response:
    now = house.clock()
    try:
        heard = listener.hear(pushed, now)
    except NotHeardError as error:
        log.warning("push refused", channel=channel, reason=error.reason, forged=error.forged)
        return _answered(house, channel, "forged" if error.forged else "misshapen", 401 if error.forged else 400)
    # Answered when it is kept: a provider told that all is well says it only once.
    keep(house, channel, PUSHED, heard, now)
    house.metrics.pushes.labels(channel=channel, outcome="kept").inc()
    return Response(heard.answer, media_type=heard.media_type)


def _answered(house: House, channel: str, outcome: str, status: int) -> Response:
    house.metrics.pushes.labels(channel=channel, outcome=outcome).inc()
    return PlainTextResponse(f"{outcome}\n", status)
