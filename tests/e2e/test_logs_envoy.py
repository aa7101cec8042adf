"""Real Envoys write real access logs for real requests: what arrives is what the load generator counted."""

import re
from collections import Counter

import pytest
from logs import LogChain, all_lines

from stack import envoy

pytestmark = pytest.mark.skipif(not envoy.available(), reason=envoy.unavailable_reason())

CODE = re.compile(r'^\[[^]]+\] "[^"]*" (\d+) ')


def test_requests_and_their_codes(chain):
    logs = LogChain(chain, istio_access_log={"labels": ["response_code"]})
    envoys = chain.own(envoy.EnvoyMesh(chain.directory, logs=logs.pods.root))
    logs.pods.logs = list(envoys.logs.values())
    logs.pods.tell()
    envoys.start()
    envoys.send(150)
    logs.forwarder.process.kill()
    envoys.send(150)
    logs.forwarder.start()
    envoys.send(150)
    envoys.stop()
    logs.finish()
    lines = [line for line in all_lines(logs.region) if line[0]["log_type"] == "access"]
    assert Counter((labels["pod"], int(CODE.match(text).group(1))) for labels, _, text, _ in lines) == sent(envoys)
    assert Counter((labels["pod"], int(labels["response_code"])) for labels, *_ in lines) == sent(envoys)
    assert sum(envoys.sent.values()) == len(lines) == 450


def sent(envoys):
    """{(pod, status): requests}, by the client's count."""
    return Counter({(envoys.pod_name(service), status): count for (service, status), count in envoys.sent.items()})
