"""docs/alerts.yaml in a real Prometheus that scrapes the real programs: a real fault fires its alert, its mend ends it.

The rules' own times are hours and minutes; here `for` is a second and ranges are 20 seconds. Thresholds stay.
"""

import base64
import http.server
import json
import pathlib
import re
import threading
import time

import pytest
import yaml
from logs import LogChain, incompressible
from support import destination, wait_for_delivery, wait_for_scrapes

from stack.process import fetch, free_port, wait_until
from stack.programs import Prometheus, write_yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DAY = 86400


def impatient(rules):
    """The rule file with short times."""
    return re.sub(r"\[(15m|1h)\]", "[20s]", re.sub(r"(?m)^( +for:) \w+$", r"\1 1s", rules))


class Watcher(Prometheus):
    """A Prometheus with our rules that scrapes our programs each second."""

    def __init__(self, directory, *programs):
        super().__init__(directory, name="watcher")
        (directory / "alerts.yaml").write_text(impatient((ROOT / "docs/alerts.yaml").read_text()))
        write_yaml(directory / "watcher.yml", {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(directory / "alerts.yaml")],
            "scrape_configs": [{"job_name": p.process.name, "static_configs": [{"targets": [f"127.0.0.1:{p.http_port}"]}]}
                               for p in programs],
        })
        self.programs = programs

    def start(self):
        super().start()
        wait_until(lambda: self.number('count({__name__=~"ampari_.*_build_info"})') == len(self.programs), "all are scraped",
                   process=self.process)
        wait_until(lambda: not self.firing(), "nothing fires", process=self.process)
        return self

    def alerts(self):
        status, body = fetch(f"{self.base}/api/v1/alerts")
        return json.loads(body)["data"]["alerts"] if status == 200 else []

    def firing(self):
        return {alert["labels"]["alertname"] for alert in self.alerts() if alert["state"] == "firing"}

    def fires(self, *names):
        wait_until(lambda: set(names) <= self.firing(), f"{names} fire", every=0.3)
        for alert in self.alerts():
            for text in alert["annotations"].values():
                assert "error expanding" not in text and "<no value>" not in text, alert

    def ends(self, *names):
        wait_until(lambda: not set(names) & self.firing(), f"{names} end", every=0.3)


@pytest.fixture
def watched(chain):
    """A healthy chain with one sidecar and its watcher."""
    class Watched:
        def __init__(self, jobs=(), flags=(), sidecars=1, down=False, **settings):
            self.region = chain.region()
            if down:
                self.region.control(status=503)
            self.mesh = chain.mesh(sidecars=sidecars, flags=flags)
            self.gateway = chain.gateway([destination(self.region, **settings)])
            self.forwarder = chain.forwarder(self.gateway.address, [self.mesh.targets], jobs=jobs)
            wait_for_scrapes(self.forwarder, 2)
            if not down:
                wait_for_delivery(self.gateway)
            self.watcher = Watcher(chain.directory, self.gateway, self.forwarder)
            chain.own(self.watcher.process)
            if not down:
                self.watcher.start()
    return Watched


def test_a_healthy_chain_fires_nothing(watched):
    """For eight seconds, in which each rule is evaluated eight times. A machine that stands still for a second is not healthy."""
    it = watched()
    quiet_since = [time.monotonic()]

    def quiet():
        if it.watcher.firing():
            quiet_since[0] = time.monotonic()
        return time.monotonic() > quiet_since[0] + 8
    wait_until(quiet, "nothing fires for eight seconds", process=it.watcher.process, every=0.5)


def test_held_while_the_region_answers_401(watched):
    it = watched()
    it.region.control(status=401)
    it.watcher.fires("AmpariDestinationHeld")
    assert "AmpariDestinationFailing" not in it.watcher.firing()
    it.region.control(mode="ok")
    it.watcher.ends("AmpariDestinationHeld")
    wait_until(lambda: not it.watcher.firing(), "nothing fires")


def test_rejected_while_the_region_answers_400(watched):
    it = watched()
    it.region.control(status=400, status_body="label too long")
    it.watcher.fires("AmpariSamplesRejected")
    it.region.control(mode="ok")
    it.watcher.ends("AmpariSamplesRejected")
    assert it.gateway.ledger()["rejected"]["bad_request"] > 0


def test_away_while_the_gateway_is_killed(watched):
    it = watched()
    it.gateway.process.kill()
    it.watcher.fires("AmpariGatewayAway", "AmpariGatewayAbsent")
    it.gateway.start()
    it.watcher.ends("AmpariGatewayAway", "AmpariGatewayAbsent")


def test_ring_full_and_expiring_while_the_gateway_is_away(chain, long_run):
    if not long_run:
        pytest.skip("a minute: --all")
    region, mesh = chain.region(), chain.mesh(sidecars=10, flags=["--combinations", 40])
    gateway = chain.gateway([destination(region)])
    forwarder = chain.forwarder(gateway.address, [mesh.targets], gateway={"ring_bytes": "1MiB"})
    wait_for_scrapes(forwarder, 2)
    watcher = Watcher(chain.directory, gateway, forwarder)
    chain.own(watcher.process)
    watcher.start()
    gateway.process.kill()
    watcher.fires("AmpariForwarderRingFull", "AmpariForwarderExpiring")
    gateway.start()
    watcher.ends("AmpariForwarderRingFull", "AmpariForwarderExpiring")
    wait_until(lambda: gateway.ledger()["expired"].get("ring_full", 0) > 0, "the gateway counts what expired")
    watcher.fires("AmpariSamplesExpired")
    watcher.ends("AmpariSamplesExpired")


def test_down_while_a_target_does_not_answer(watched):
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(b"a_metric 1\n")

        def log_message(self, *_):
            pass

    port = free_port()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    it = watched(jobs=[{"job_name": "one", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}])
    server.shutdown()
    server.server_close()
    it.watcher.fires("AmpariTargetsDown")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    it.watcher.ends("AmpariTargetsDown")
    server.shutdown()
    server.server_close()


def test_backlog_grows_while_the_region_is_away(watched):
    it = watched(sidecars=12, flags=["--combinations", 12], down=True)
    super(Watcher, it.watcher).start()
    it.watcher.fires("AmpariBacklogGrowing")
    full = it.watcher.number("ampari_gateway_store_full_estimate_seconds")
    assert full and full < DAY, full
    it.region.control(mode="ok")
    it.watcher.ends("AmpariBacklogGrowing")
    wait_until(lambda: it.watcher.number("ampari_gateway_store_full_estimate_seconds") is None, "nothing grows")


def test_reload_failed_while_a_file_has_an_error(watched):
    it = watched()
    for program, alert in ((it.gateway, "AmpariGatewayReloadFailed"), (it.forwarder, "AmpariForwarderReloadFailed")):
        right = program.config_file.read_text()
        program.config_file.write_text(right + "\nremote_wrote: []\n")
        assert fetch(f"{program.base}/-/reload", data=b"")[0] == 500
        it.watcher.fires(alert)
        program.config_file.write_text(right)
        assert fetch(f"{program.base}/-/reload", data=b"")[0] == 200
        it.watcher.ends(alert)


def test_name_shared_while_two_forwarders_have_it(chain, watched):
    it = watched()
    second = chain.forwarder(it.gateway.address, [it.mesh.targets], name="second", gateway={"name": "forwarder"})
    it.watcher.fires("AmpariForwarderNameShared")
    assert "AmpariGatewayAway" not in it.watcher.firing()
    it.forwarder.process.stop()
    it.watcher.ends("AmpariForwarderNameShared")
    assert second.process.running()


def jwt(seconds):
    claims = json.dumps({"iss": "region", "exp": int(time.time()) + seconds}).encode()
    return "e30." + base64.urlsafe_b64encode(claims).decode().rstrip("=") + ".c2ln\n"


def test_credential_ending_until_it_is_renewed(watched, chain):
    token = chain.directory / "region-token"
    token.write_text(jwt(3 * DAY))
    it = watched(down=True, authorization={"type": "Bearer", "credentials_file": str(token)})
    super(Watcher, it.watcher).start()
    it.watcher.fires("AmpariGatewayCredentialEnding")
    assert "AmpariGatewayCredentialEndsToday" not in it.watcher.firing()
    token.write_text(jwt(DAY // 2))
    it.watcher.ends("AmpariGatewayCredentialEnding")  # it moved: it may be one that renews itself
    token.write_text(jwt(-60))
    it.watcher.fires("AmpariGatewayCredentialEndsToday")
    token.write_text(jwt(30 * DAY))
    it.watcher.ends("AmpariGatewayCredentialEndsToday", "AmpariGatewayCredentialEnding")


def test_refused_while_a_token_is_wrong(chain):
    region, mesh = chain.region(), chain.mesh(sidecars=1)
    right, shown = chain.directory / "right", chain.directory / "shown"
    right.write_text("right\n")
    shown.write_text("right\n")
    gateway = chain.gateway([destination(region)], forwarders=[{"name": "a", "token_file": str(right)}])
    forwarder = chain.forwarder(gateway.address, [mesh.targets], gateway={"token_file": str(shown)})
    wait_for_scrapes(forwarder, 2)
    wait_for_delivery(gateway)
    watcher = Watcher(chain.directory, gateway, forwarder)
    chain.own(watcher.process)
    watcher.start()
    right.write_text("another\n")
    for alert in ("AmpariForwardersRefused", "AmpariGatewayAway", "AmpariClusterSilent"):
        watcher.fires(alert)
    shown.write_text("another\n")
    watcher.ends("AmpariForwardersRefused", "AmpariGatewayAway", "AmpariClusterSilent")


def test_logs_behind_and_rotated_away_while_the_gateway_is_away(chain):
    region = chain.region()
    it = LogChain(chain, pods=1, region=region, gateway={"remote_write": [destination(region)]},
                  forwarder={"gateway": {"log_ring_bytes": "1MiB"}}, max_line_size="8KiB")
    (log,) = it.pods.logs
    it.pods.write(10)
    it.wait()
    watcher = Watcher(chain.directory, it.gateway, it.forwarder)
    chain.own(watcher.process)
    watcher.start()
    log.write(incompressible(9000))
    watcher.fires("AmpariLogLinesCut")
    it.gateway.process.kill()
    log.write(*(incompressible(4000) for _ in range(1000)))
    watcher.fires("AmpariLogFilesBehind", "AmpariGatewayAway")
    log.file.truncate(0)  # what was renamed or deleted would still be open, and read
    it.gateway.start()
    watcher.fires("AmpariLogBytesRotatedAwayUnread")
    watcher.ends("AmpariLogFilesBehind", "AmpariLogBytesRotatedAwayUnread", "AmpariLogLinesCut", "AmpariGatewayAway")


def test_rules_keep_their_thresholds():
    """What is shortened here is time alone."""
    def bare(text):
        return re.sub(r"\[\w+\]", "", json.dumps([[r["alert"], r["expr"]] for g in yaml.safe_load(text)["groups"] for r in g["rules"]]))
    rules = (ROOT / "docs/alerts.yaml").read_text()
    assert bare(impatient(rules)) == bare(rules)
