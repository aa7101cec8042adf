"""A real Loki as the region: what it takes it gives back by LogQL, whole, in order and once; what it refuses is set aside with its words."""

import http.server
import threading
import time

import pytest
from logs import Pods
from support import balanced

from stack import loki as real
from stack.pod_logs import access_line, request_id
from stack.process import fetch, wait_until

pytestmark = pytest.mark.skipif(not real.available(), reason=f"no Loki: {real.HOW}")

SECOND = 10**9
DAY = 86400 * SECOND
SLOW = {"ingestion_rate_mb": 0.02, "ingestion_burst_size_mb": 0.06}
LIMITS = {  # by tenant; each test has its own
    "refusing": {"max_line_size": 1024},
    "labelled": {"max_label_names_per_series": 8},
    "rate": SLOW,
    "burst": SLOW,
    "stream": {"per_stream_rate_limit": "20KB", "per_stream_rate_limit_burst": "60KB"},
}


@pytest.fixture(scope="module")
def loki(shared_chain):
    loki = real.Loki(shared_chain.directory, **LIMITS)
    shared_chain.own(loki.process)
    return loki.start()


class Shipped:
    """Gateway and forwarder that ship the pods' files to `url` until the test ends."""

    def __init__(self, chain, loki, url, tenant, pods, job=None, **settings):
        self.loki, self.tenant, self.pods = loki, tenant, pods
        self.begin = time.time_ns() - 3600 * SECOND
        self.gateway = chain.gateway([], loki_write=[{
            "name": "region-logs", "url": url, "headers": {"X-Scope-OrgID": tenant}, "batch_wait": "100ms",
            "min_backoff_period": "50ms", "max_backoff_period": "500ms", **settings}])
        self.forwarder = chain.forwarder(self.gateway.address, [], log_configs=[pods.job(start="beginning", **(job or {}))])

    def settle(self, refused=0):
        """Until every line has come and nothing is left to be done with it; then the account is right."""
        count = self.pods.written()

        def done():
            ledger = self.gateway.ledger()
            return ledger["accepted"] == count and ledger["pending"] == 0
        wait_until(done, f"{count} lines are settled", process=self.gateway.process)
        ledger = self.gateway.ledger()
        assert balanced(ledger) and ledger["delivered"] == count - refused, ledger
        return ledger

    def streams(self, selector):
        return self.loki.streams(self.tenant, selector, self.begin, time.time_ns() + SECOND)

    def count(self):
        return self.loki.count(self.tenant, '{job=~".+"}', 3600)

    def assert_whole(self, log, without=()):
        """The lines of both outputs in Loki, in order; an output's streams, one for each log_type, put together by time."""
        for output in ("stdout", "stderr"):
            found = self.streams(f'{{pod="{log.pod}", stream="{output}"}}')
            rows = sorted((row[:2] for rows in found.values() for row in rows), key=lambda row: row[0])
            assert rows == [(ns, text) for ns, of, text in log.written if of == output and text not in without], (log.pod, output)


def test_lines_come_back_whole_and_in_order(chain, loki):
    pods = Pods(chain.directory)
    logs = pods.add(3)
    pods.write(500)
    for log in logs:
        log.write("2026-05-01T10:00:00.000000Z\tinfo\tready", 'quoted "text" and a \\ back slash', "Grüße, 世界 🚀", " blanks around ", "x" * 200_000)
        log.write("2026-05-01T10:00:00.000000Z\twarning\tenvoy main x.cc:1\twords\tthread=1", stream="stderr")
    it = Shipped(chain, loki, loki.url, "whole", pods)
    it.settle()
    pods.write(200)  # it goes on
    it.settle()
    for log in logs:
        it.assert_whole(log)
    assert it.count() == pods.written()
    (labels,) = it.streams(f'{{pod="{logs[0].pod}", log_type="access"}}')
    assert dict(labels) == {"job": "integrations/istio", "namespace": logs[0].namespace, "pod": logs[0].pod, "container": "istio-proxy",
                            "log_type": "access", "stream": "stdout"}


def test_fields_of_access_lines_become_labels_and_metadata(chain, loki):
    pods = Pods(chain.directory)
    (log,) = pods.add()
    log.write(access_line(1), access_line(2, 503), "not an access line")
    it = Shipped(chain, loki, loki.url, "fields", pods, {
        "istio_access_log": {"labels": ["response_code"], "structured_metadata": ["request_id"]}})
    it.settle()
    (found,) = it.streams('{response_code="503"}').values()
    assert found == [(log.written[1][0], access_line(2, 503), {"request_id": request_id(2)})]
    assert loki.count("fields", '{response_code="200"} | request_id != ""', 3600) == 1
    assert it.count() == 3


class Silent:
    """Hands requests on to Loki; while `silent`, the gateway gets no answer."""

    def __init__(self, loki):
        self.silent, self.answered = True, []
        keeper = self

        class Hand(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, words = fetch(loki.url, data=body, headers={n: self.headers[n] for n in ("Content-Type", "X-Scope-OrgID")})
                keeper.answered.append(status)
                if keeper.silent:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(words)))
                self.end_headers()
                self.wfile.write(words)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hand)
        self.url = f"http://127.0.0.1:{self.server.server_port}/loki/api/v1/push"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self, *_):
        self.server.shutdown()
        self.server.server_close()


def test_a_kill_between_push_and_answer_doubles_nothing(chain, loki):
    hand, pods = chain.own(Silent(loki)), Pods(chain.directory)
    pods.add(2)
    pods.write(200)
    it = Shipped(chain, loki, hand.url, "killed", pods)
    wait_until(lambda: it.count() == 400, "Loki has what the gateway does not know of")
    it.gateway.process.kill()
    assert set(hand.answered) == {204}
    before, hand.silent = len(hand.answered), False
    it.gateway.start()
    it.settle()
    assert len(hand.answered) > before, "nothing was sent again"
    pods.write(50)
    it.settle()
    for log in pods.logs:
        it.assert_whole(log)
    assert it.count() == 500


# What Loki refuses, a part of its words, and what says it; of the same stream as the good lines around it.
BAD = 10**6
REFUSED = [
    ("max entry size", lambda log: log.write(access_line(BAD, path="/" + "x" * 2000))),
    ("timestamp too old", lambda log: log.write(access_line(BAD), time_ns=time.time_ns() - 8 * DAY)),
    ("entry too far behind", lambda log: log.write(access_line(BAD), time_ns=time.time_ns() - 2 * 3600 * SECOND)),
    ("timestamp too new", lambda log: log.write(access_line(BAD), time_ns=time.time_ns() + DAY)),
]


def test_what_loki_refuses_is_set_aside_with_its_words(chain, loki):
    """Loki stores the good lines of a request and answers 400 for it."""
    pods, bad = Pods(chain.directory), []
    for log, (_, write) in zip(pods.add(len(REFUSED)), REFUSED):
        pods.write(100, [log])
        write(log)
        bad.append(log.written[-1][2])
        if log.written[-1][0] < time.time_ns():  # lines go on behind the last one
            pods.write(100, [log])
    it = Shipped(chain, loki, loki.url, "refusing", pods)
    ledger = it.settle(refused=len(bad))
    assert sum(ledger["rejected"].values()) + ledger["uncertain"] == len(bad), ledger
    for log in pods.logs:
        it.assert_whole(log, without=bad)
    letters = it.gateway.json("/api/v1/dead_letters")["dead_letters"]
    for words, _ in REFUSED:
        assert any(words in letter["response"] for letter in letters), (words, letters)


def test_too_many_labels_are_refused_by_the_stream(chain, loki):
    pods = Pods(chain.directory)
    pods.add(2)
    pods.write(50)
    more = [{"source_labels": ["pod"], "regex": "app-1", "target_label": f"label_{n}", "replacement": "x"} for n in range(8)]
    job = pods.job()["relabel_configs"] + more
    it = Shipped(chain, loki, loki.url, "labelled", pods, {"relabel_configs": job})
    it.settle(refused=50)
    it.assert_whole(pods.logs[0])
    assert "label names; limit 8" in str(it.gateway.json("/api/v1/dead_letters"))


@pytest.mark.parametrize("tenant, batch", [("rate", "32KiB"), ("burst", "1MiB"), ("stream", "1MiB")])
def test_a_rate_limit_delays_and_loses_nothing(chain, loki, tenant, batch):
    """burst: one batch is more than Loki ever takes at once. stream: Loki tells of a stream's limit only when the stream is the last of its
    request; else it answers 204 and has stored nothing of it."""
    pods = Pods(chain.directory)
    pods.add(3)
    pods.write(120)
    pods.write(200, pods.logs[:1])
    it = Shipped(chain, loki, loki.url, tenant, pods, batch_size=batch)
    it.settle()
    assert 'code="429"' in it.gateway.metrics()
    for log in pods.logs:
        it.assert_whole(log)
