"""Real receivers, real sidecars, real checkers."""

import subprocess

import pytest
from support import balanced, destination, finish, scrapes, wait_for_delivery, wait_for_scrapes

from stack import envoy
from stack.process import wait_until
from stack.programs import CACHE


def receiver(chain, binary):
    prometheus = chain.prometheus(binary=binary)
    gateway = chain.gateway([destination(prometheus)])
    return prometheus, gateway


def test_prometheus_as_the_receiver(chain):
    check_receiver(chain, "/usr/bin/prometheus")


def test_current_prometheus_as_the_receiver(chain):
    binary = CACHE / "bin/prometheus3"
    if not binary.exists():
        pytest.skip("no current Prometheus: script/counterparts prometheus")
    check_receiver(chain, binary)


def check_receiver(chain, binary):
    prometheus, gateway = receiver(chain, binary)
    mesh = chain.mesh()
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    wait_for_scrapes(forwarder, 5)
    stopped = finish(forwarder, gateway)
    verdict, code = mesh.verify("--prometheus", prometheus.base, "--normalise", "true", "--until", stopped)
    assert code == 0 and verdict["samples"] > 1000, verdict
    ledger = gateway.ledger()
    assert balanced(ledger) and ledger["delivered"] == ledger["accepted"], ledger


@pytest.mark.skipif(not envoy.available(), reason=f"no Envoy: {envoy.unavailable_reason()}" if not envoy.available() else "")
def test_requests_through_real_envoys(chain):
    prometheus, gateway = receiver(chain, "/usr/bin/prometheus")
    envoys = chain.own(envoy.EnvoyMesh(chain.directory)).start()
    forwarder = chain.forwarder(gateway.address, [], jobs=[envoys.job()])
    envoys.send(600)
    wait_until(lambda: all(envoys.counted(service, status) == sent for (service, status), sent in envoys.sent.items()),
               "the Envoys have merged their histograms")
    wait_for_scrapes(forwarder, scrapes(forwarder) + 2)  # one of them began after that
    finish(forwarder, gateway)
    assert len(envoys.sent) >= 9
    for (service, status), sent in envoys.sent.items():
        labels = f'destination_app="{service}",response_code="{status}"'
        for name in ("istio_requests_total", "istio_request_duration_milliseconds_count"):
            assert prometheus.number(f"max_over_time({name}{{{labels}}}[5m])") == sent, (name, service, status)


def test_promtool_likes_our_metrics(chain):
    prometheus, gateway = receiver(chain, "/usr/bin/prometheus")
    mesh = chain.mesh(sidecars=1)
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    wait_for_scrapes(forwarder, 2)
    wait_for_delivery(gateway)
    for name, page in (("gateway", gateway.metrics()), ("forwarder", forwarder.metrics())):
        checked = subprocess.run(["/usr/bin/promtool", "check", "metrics"], input=page, capture_output=True, text=True)
        assert checked.returncode == 0 and not checked.stderr.strip(), f"{name}: {checked.stderr}"
        assert f"ampari_{name}_" in page
