"""What Prometheus may ask: counters and gauges of one house, in a registry of its own; ids only."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)


class Metrics:
    """The figures an operator watches; counts what others do and decides nothing."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.polls = self._counter("polls", "Polls of a feed by outcome", "feed", "outcome")
        self.feed_ok = self._gauge("feed_last_ok_timestamp_seconds", "Last successful poll of a feed", "feed")
        self.refused = self._counter("rows_refused", "Rows refused, by feed", "feed")
        self.marks = self._counter("marks_taken", "Marks taken in, by feed", "feed")
        self.sweeps = Counter("baoxue_sweeps", "Sweeps done", registry=self.registry)
        self.swept = Gauge("baoxue_last_sweep_timestamp_seconds", "End of the last sweep", registry=self.registry)
        self.raised = self._counter("decisions", "Journal entries written, by kind", "kind")
        self.lateness = Histogram(
            "baoxue_raise_lateness_seconds",
            "From the instant a case asked to be looked at to its commit",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.sent = self._counter("messages", "Messages by channel and outcome", "channel", "outcome")
        self.delay = Histogram(
            "baoxue_message_delay_seconds",
            "From a message being queued to its channel taking it",
            ["channel"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.receipts = self._counter(
            "receipts",
            "What channels said later of messages; standing: new, repeated, late (case closed), unknown (no message)",
            "channel",
            "status",
            "standing",
        )
        self.arrival = Histogram(
            "baoxue_message_arrival_seconds",
            "From a message being queued to its arrival, where the channel tells",
            ["channel"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.undelivered = self._counter("messages_undelivered", "Messages taken that did not arrive", "channel")
        self.replies = self._counter("replies", "Text messages answered to us, by what came of them", "outcome")
        self.pushes = self._counter("pushes", "Requests of providers at our door, by outcome", "channel", "outcome")
        self.overdue = self._gauge("overdue", "Work found overdue by the last self-audit, by what it is", "what")
        self.requeued = self._counter("requeued", "Overdue work that self-audits queued again, by what it is", "what")
        self.audited = Gauge(
            "baoxue_last_audit_timestamp_seconds", "End of the last self-audit", registry=self.registry
        )
        self.heartbeats = self._counter("heartbeats", "Pings of the external watch by outcome", "outcome")
        self.withheld = Gauge(
            "baoxue_heartbeat_withheld",
            "1 while the external watch is not pinged, for all is not well",
            registry=self.registry,
        )
        self.failures = self._counter("job_failures", "Jobs that failed unexpectedly", "job")
        self.reloads = self._counter("reloads", "Readings of the configuration by outcome", "outcome")
        self.configuration_refused = Gauge(
            "baoxue_configuration_refused", "1 while what is on disk is refused", registry=self.registry
        )
        self.log_lines_dropped = Gauge(
            "baoxue_log_lines_dropped", "Lines of the log that nobody took, since the start", registry=self.registry
        )
        self.unreachable = Counter("baoxue_unreachable_alerts", "Alerts that reached nobody", registry=self.registry)

    def render(self) -> bytes:
        """The text format Prometheus reads."""
        return generate_latest(self.registry)

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(f"baoxue_{name}", words, labels, registry=self.registry)

    def _gauge(self, name: str, words: str, *labels: str) -> Gauge:
        return Gauge(f"baoxue_{name}", words, labels, registry=self.registry)
