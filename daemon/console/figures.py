"""What /metrics says of the store and of readiness, counted when it is asked; ids of feeds and units, nobody's name."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from threading import Lock

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from daemon.build import revision, version
from daemon.console.ready import Vitals
from daemon.jobs import held
from daemon.jobs.feed_problem_words import WORDS as FEED_WORDS
from daemon.jobs.service_problems import SERVICE_WORDS
from daemon.store import figures, incidents
from daemon.store.figures import Waiting
from daemon.store.incidents import IncidentRow
from daemon.store.tx import Tx
from rules.case import Stage

log = structlog.get_logger()

KEPT = dt.timedelta(seconds=5)
"""How long an answer is given again, so that several who ask cost what one costs."""

_OUTBOX = "Messages that have not left, by why they wait: due, sending, later (another try), held (hours, silences)"


class Figures(Collector):
    """The figures of one house, from its store; asks anew when the last answer is older than KEPT."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals
        self._house = vitals.house
        self._lock = Lock()
        self._found: tuple[dt.datetime, Sequence[Metric]] | None = None
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def render(self) -> bytes:
        """The text format Prometheus reads."""
        return generate_latest(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: it would have to ask the store."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Every figure; where the store cannot be asked those it has are left out, and baoxue_store_up says so."""
        now = self._house.clock()
        with self._lock:
            if self._found is None or not dt.timedelta(0) <= now - self._found[0] < KEPT:
                self._found = (now, [*self._of_the_process(now), *self._of_the_store(now)])
            return self._found[1]

    def _of_the_process(self, now: dt.datetime) -> Iterator[Metric]:
        build = {"version": version(), "revision": revision()}
        yield _gauge("build_info", "The build that runs; always 1", [(build, 1)])
        yield _gauge("clock_timestamp_seconds", "What the daemon takes for the present", [({}, now.timestamp())])
        live = self._house.config.service.mode == "live"
        yield _gauge("live", "1 in live mode, 0 in shadow mode, in which only the operator is told", [({}, live)])
        ready, _ = self._vitals.ready(now)
        yield _gauge("ready", "1 while /readyz says that it is ready", [({}, ready)])
        beat = self._vitals.beat
        if beat is not None and beat.last is not None:
            at = beat.last.timestamp()
            yield _gauge("last_heartbeat_timestamp_seconds", "Last ping the external watch took", [({}, at)])

    def _of_the_store(self, now: dt.datetime) -> list[Metric]:
        try:
            with self._house.store.read() as tx:
                found = [*_cases(tx), *_outbox(tx, now), *_problems(tx, {feed.id for feed in self._house.config.feed})]
        except Exception:
            log.warning("store not reachable", exc_info=True)
            found = []
        return [_gauge("store_up", "1 while the store answers", [({}, bool(found))]), *found]


def _cases(tx: Tx) -> Iterator[Metric]:
    counts = figures.open_cases_by_stage(tx)
    stages = [({"stage": stage.value}, counts.get(stage.value, 0)) for stage in Stage if stage is not Stage.CLOSED]
    yield _gauge("cases", "Open cases by stage", stages)
    waiting = figures.unacknowledged_reports(tx)
    yield _gauge("unacknowledged_reports", "Reports that stand and nobody has acknowledged", [({}, waiting.count)])
    if waiting.first_raised_at is not None:
        at = waiting.first_raised_at.timestamp()
        name = "oldest_unacknowledged_report_timestamp_seconds"
        yield _gauge(name, "When the oldest report was raised that nobody has acknowledged", [({}, at)])


def _outbox(tx: Tx, now: dt.datetime) -> Iterator[Metric]:
    queues = figures.outbox_queues(tx, now)
    counts = [({"channel": one.channel, "state": one.waiting.value}, one.count) for one in queues]
    yield _gauge("outbox_messages", _OUTBOX, counts)
    due = [({"channel": one.channel}, one.first_due_at.timestamp()) for one in queues if one.waiting is Waiting.DUE]
    yield _gauge("outbox_oldest_due_timestamp_seconds", "When the oldest message that is due was to leave", due)


def _problems(tx: Tx, feeds: set[str]) -> Iterator[Metric]:
    rows = [row for row in incidents.open_incidents(tx) if row.kind != held.KIND]  # told as delivery_held
    kinds = Counter(row.kind for row in rows)
    yield _gauge("incidents", "Open incidents by kind", [({"kind": kind}, n) for kind, n in sorted(kinds.items())])
    of_feeds = [row for row in rows if row.kind in FEED_WORDS and row.subject in feeds]
    yield _gauge("feed_problem", "1 while a feed is silent, fails, is held, …", _present(of_feeds, "feed"))
    of_service = [row for row in rows if row.kind in SERVICE_WORDS]
    yield _gauge("service_problem", "1 while a channel or a job fails", _present(of_service, "part"))


def _present(rows: Sequence[IncidentRow], subject: str) -> list[tuple[dict[str, str], float]]:
    labels = sorted({(row.subject, row.kind) for row in rows})
    return [({subject: about, "problem": kind}, 1) for about, kind in labels]


def _gauge(name: str, words: str, values: Iterable[tuple[dict[str, str], float]]) -> Metric:
    found = list(values)
    family = GaugeMetricFamily(f"baoxue_{name}", words, labels=tuple(found[0][0]) if found else ())
    for labels, value in found:
        family.add_metric(tuple(labels.values()), float(value))
    return family
