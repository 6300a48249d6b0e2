"""The console: links that acknowledge and confirm, health, metrics. Knows cases by number, and nobody by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from daemon.console.fields import read_fields
from daemon.console.figures import Figures
from daemon.console.heard import hear
from daemon.console.links import follow, show
from daemon.console.pages import HEADERS, Page, render
from daemon.console.ready import Vitals
from daemon.jobs.house import House

METRICS = "text/plain; version=0.0.4; charset=utf-8"


def build_console(house: House, vitals: Vitals) -> Starlette:
    """The application over one house; opens nothing and serves nothing by itself."""
    figures = Figures(vitals)

    def look(request: Request) -> Response:
        return answer(show(house, request.path_params["token"], house.clock()))

    async def press(request: Request) -> Response:
        fields = await read_fields(request)
        if fields is None:
            return answer(Page.too_much())
        page = await run_in_threadpool(follow, house, request.path_params["token"], house.clock(), fields)
        return answer(page)

    async def heard(request: Request) -> Response:
        return await hear(house, request)

    async def healthz(_: Request) -> Response:  # without a thread: all of them may wait for the store
        return PlainTextResponse("ok\n")

    def readyz(_: Request) -> Response:
        ready, report = vitals.ready(house.clock())
        return JSONResponse(report, 200 if ready else 503)

    def metrics(_: Request) -> Response:
        return Response(house.metrics.render() + figures.render(), headers={"Content-Type": METRICS})

    return Starlette(
        routes=[
            # HEAD comes with GET; both only look, because mail scanners follow links before people do.
            Route("/a/{token}", look, methods=["GET"]),
            Route("/a/{token}", press, methods=["POST"]),
            # Some providers push by GET, or try the address with one.
            Route("/heard/{channel}", heard, methods=["GET", "POST"]),
            Route("/heard/{channel}/{name}", heard, methods=["GET", "POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=guard)],
        exception_handlers={404: nowhere, 405: nowhere, 500: broken},
    )


async def guard(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    """Every answer is for one reader only, and may load nothing from anywhere."""
    response = await call(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def answer(page: Page) -> Response:
    """A page as an answer."""
    return Response(render(page), page.status, media_type="text/html")


async def nowhere(_: Request, error: Exception) -> Response:
    """There is no such page, or nothing of the kind may be done with it."""
    page = Page.nothing_here()
    page = page if getattr(error, "status_code", 404) == page.status else page.with_status(405)
    return Response(render(page), page.status, media_type="text/html", headers=HEADERS)


async def broken(_: Request, __: Exception) -> Response:
    """A bug of ours: uvicorn puts it into the log, and the reader is told to try again."""
    page = Page.broken()
    return Response(render(page), page.status, media_type="text/html", headers=HEADERS)
