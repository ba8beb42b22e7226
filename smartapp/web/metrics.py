"""What a Prometheus server may read of one process: counts and times, by route and outcome, and no word of people.

It is served on an address of its own (`verstel serve --metrics`), so that it can't be reached where people come in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import Flask, Response, request
from prometheus_client import CollectorRegistry, Gauge, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from smartapp.web.logs import route, seconds_so_far

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from smartapp.records.outbox import Outbox
    from smartapp.settings import Issuer, Settings

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one app, in a registry of their own."""

    def __init__(self, settings: Settings) -> None:
        self.registry = CollectorRegistry()
        self._keys = {host: short_key(issuer.key) for issuer in settings.issuers for host in hosts_of(issuer)}
        self.requests = Histogram(
            "verstel_request_seconds",
            "Time from a request to its answer.",
            ("method", "route", "status"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._ehr_calls = Histogram(
            "verstel_ehr_call_seconds",
            "Time of one call to an EHR, its authorization server or a companion server.",
            ("issuer", "outcome"),
            buckets=SECONDS,
            registry=self.registry,
        )

    def called(self, host: str, outcome: str, seconds: float) -> None:
        """Count a call that left the app; `outcome` is a status such as 200, or why there was no answer."""
        self._ehr_calls.labels(self._keys.get(host, "other"), outcome).observe(seconds)

    def watch(
        self, outbox: Outbox, now: Callable[[], float], courier: Callable[[], bool], log_rows: Callable[[], int]
    ) -> None:
        """Look at what waits, and whether the `courier` lives, whenever the metrics are read.

        `log_rows` is how many rows of the log an EHR has to get yet.
        """
        self.registry.register(_Waiting(outbox, now))
        rows = Gauge("verstel_log_rows_to_pass_on", "Rows of the log that an EHR gets yet.", registry=self.registry)
        rows.set_function(log_rows)
        alive = Gauge("verstel_courier_alive", "1 while the courier of this process lives.", registry=self.registry)
        alive.set_function(courier)

    def serve(self, host: str, port: int) -> Callable[[], None]:
        """Serve the metrics; return what ends that. Raises OSError."""
        server, thread = start_http_server(port, host, registry=self.registry)

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return stop


def init_metrics(app: Flask, metrics: Metrics) -> None:
    """Count every request by its route, as it is logged."""

    @app.after_request
    def end(response: Response) -> Response:
        metrics.requests.labels(request.method, route(), str(response.status_code)).observe(seconds_so_far())
        return response


def hosts_of(issuer: Issuer) -> set[str]:
    """Return the hosts that we ask for an issuer; where two share one, the later in the settings is counted."""
    named = (
        urlsplit(address).hostname for address in (issuer.base, issuer.openid_issuer or "", issuer.companion or "")
    )
    return {host for host in named if host} | set(issuer.hosts)


def short_key(key: str) -> str:
    """Return what names an issuer in metrics: its key, or the host where the key is an address."""
    return urlsplit(key).hostname or key


class _Waiting(Collector):
    """What is in the outbox of all processes, asked anew each time."""

    def __init__(self, outbox: Outbox, now: Callable[[], float]) -> None:
        self._outbox = outbox
        self._now = now

    def describe(self) -> list[Metric]:
        """Name nothing beforehand: the registry would ask the database for it."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield how many units are in each state, and how long the oldest of them has been."""
        units = GaugeMetricFamily("verstel_outbox_units", "Units in the outbox.", labels=("issuer", "state"))
        ages = GaugeMetricFamily("verstel_outbox_oldest_seconds", "Age of the oldest.", labels=("issuer", "state"))
        for row in self._outbox.backlog():
            labels = [short_key(row.issuer), row.state]
            units.add_metric(labels, row.units)
            ages.add_metric(labels, max(0.0, self._now() - row.oldest))
        yield from (units, ages)
