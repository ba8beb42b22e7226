"""What a Prometheus server may read: counts and times per route and issuer, and nothing of people."""

from __future__ import annotations

import urllib.request

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from smartapp.fhir import http
from smartapp.services import KEY
from smartapp.settings import Issuer
from smartapp.web.metrics import Metrics, init_metrics
from tests.conftest import port_of_ours
from tests.smartapp.helpers import EHR, launched, make_app, settings


def samples(text: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def read(metrics: Metrics) -> dict[tuple[str, ...], float]:
    return samples(generate_latest(metrics.registry).decode())


def test_requests_are_counted_by_route_and_status_without_a_launch_or_a_query():
    app = make_app()
    metrics = Metrics(app.extensions[KEY].settings)
    init_metrics(app, metrics)
    anna = launched(app)
    for _ in range(2):
        anna.get("scores/?from=elsewhere")
    app.test_client().get("/no/such/page/anna")
    counted = read(metrics)
    assert counted["verstel_request_seconds_count", "GET", "/l/<launch_id>/scores/", "200"] == 2
    assert counted["verstel_request_seconds_count", "GET", "none", "404"] == 1
    text = generate_latest(metrics.registry).decode()
    assert not any(word in text for word in ("anna", anna.launch.id, "elsewhere"))


def test_calls_are_counted_by_issuer_and_outcome(monkeypatch):
    one = Issuer(base="http://127.0.0.1:9/fhir", name="One", client_id="x", key="hospital-one")
    metrics = Metrics(settings(issuers=(one,)))
    monkeypatch.setattr(http, "WATCHERS", [metrics.called])
    with pytest.raises(http.OutboundError):
        http.ask("GET", "http://127.0.0.1:9/fhir/Patient/anna")  # nothing listens there
    with pytest.raises(http.OutboundError):
        http.ask("GET", "http://elsewhere.example/fhir")
    counted = read(metrics)
    assert counted["verstel_ehr_call_seconds_count", "hospital-one", "unreachable"] == 1
    assert counted["verstel_ehr_call_seconds_count", "other", "insecure"] == 1


def test_an_issuer_without_a_key_is_named_by_its_host_and_no_address():
    metrics = Metrics(settings())
    metrics.called("localhost", "200", 0.1)
    assert ("verstel_ehr_call_seconds_count", "localhost", "200") in read(metrics)
    assert EHR not in generate_latest(metrics.registry).decode()


def test_metrics_are_on_an_address_of_their_own_and_not_in_the_app():
    app = make_app()
    services = app.extensions[KEY]
    metrics = Metrics(services.settings)
    metrics.watch(services.outbox, services.clock, lambda: True, lambda: 7)
    with port_of_ours() as port:
        stop = metrics.serve("127.0.0.1", port)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                counted = samples(answer.read().decode())
        finally:
            stop()
    assert counted["verstel_courier_alive",] == 1
    assert counted["verstel_log_rows_to_pass_on",] == 7
    assert app.test_client().get("/metrics").status_code == 404
