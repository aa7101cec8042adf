"""`ampari-forwarder canary`, what `helm test` runs: one marked metric through the whole path, and the account of it."""

import re
import struct

import pytest
import yaml
from certificates import Authority
from support import assert_no_trouble, balanced, destination, wait_for_scrapes

from stack.process import free_port, wait_until

STALE = 0x7FF0000000000002


def canary_of(chain, addresses, **gateway):
    """A forwarder's configuration that is never started: only its command runs."""
    forwarder = chain.forwarder(None, [], start=False, name="node-1", gateway={"addresses": addresses, **gateway})
    forwarder.config["gateway"].pop("address")
    forwarder.config["global"]["external_labels"] = {"mesh": "prod"}
    forwarder.config_file.write_text(yaml.safe_dump(forwarder.config))
    return forwarder


def run_canary(forwarder, gateway=None, timeout="120s", **flags):
    status = flags.pop("status", gateway.base if gateway else "http://{host}:1")
    code, output, errors = forwarder.command("canary", f"--gateway-status={status}", f"--timeout={timeout}", timeout=300)
    print(output + errors)  # shown when the test fails
    return code, output, errors


def canaries(region, tenant="anonymous"):
    return {series: samples for series, samples in region.samples(tenant).items() if "ampari_canary_timestamp_seconds" in series}


def check_series(series, samples, *labels):
    """One sample, its own time in seconds, and then a staleness marker."""
    for label in ('mesh="prod"', 'instance="node-1-canary"', 'job="ampari-canary"', *labels):
        assert label in series, series
    (sent, bits), (ended, stale) = sorted(samples)
    value = struct.unpack(">d", int(bits, 16).to_bytes(8, "big"))[0]
    assert abs(value - sent / 1000) < 0.001 and ended > sent and int(stale, 16) == STALE, samples


def test_the_whole_path(chain):
    region = chain.region()
    gateway = chain.gateway([destination(region)], forwarders=[{"name": "cluster-a", "token": "right", "labels": {"cluster": "a"}}])
    forwarder = canary_of(chain, [gateway.address], token="right")
    for run in (1, 2):
        region.control(delay_ms=400 * (run - 1))  # an answer that takes its time is waited for
        code, output, errors = run_canary(forwarder, gateway)
        assert (code, errors) == (0, ""), (output, errors)
        lines = output.splitlines()
        assert all(re.match(r" +\d+\.\d{3} s  \S", line) for line in lines), output
        words = ["connected", "before: destination region: accepted", "sent {", "durable", "settled", "staleness marker",
                 "after: destination region", "adds up; meanwhile accepted +2, delivered +2", "OK"]
        assert len(lines) == len(words) and all(word in line for word, line in zip(words, lines)), output
        assert "right" not in output
        ledger = gateway.ledger()
        assert balanced(ledger) and ledger["delivered"] == ledger["accepted"] == 2 * run, ledger
    found = canaries(region)
    assert len(found) == 2, "each run has a series of its own"
    for series, samples in found.items():
        check_series(series, samples, 'cluster="a"')
    wait_until(lambda: not any(i["connected"] for i in gateway.json("/api/v1/forwarders")["instances"]), "its stream has ended",
               process=gateway.process)
    assert_no_trouble(region)


def test_beside_a_busy_forwarder_of_the_same_name(chain):
    region, mesh = chain.region(), chain.mesh()
    gateway = chain.gateway([destination(region)])
    busy = chain.forwarder(gateway.address, [mesh.targets], name="node-1")
    wait_for_scrapes(busy, 2)
    code, output, errors = run_canary(busy, gateway)
    assert code == 0 and "adds up" in output, errors
    assert sum(i["superseded"] for i in gateway.json("/api/v1/forwarders")["instances"]) == 0
    assert len(canaries(region)) == 1
    region.control(reject_metric="ampari_canary_timestamp_seconds")
    code, _, errors = run_canary(busy, gateway)
    assert code == 14 and "the region refused it: 400" in errors, (code, errors)
    assert balanced(gateway.ledger())
    assert_no_trouble(region)


def test_every_gateway_of_the_list_over_tls(chain):
    authority = Authority(chain.directory)
    region, server = chain.region(), authority.issue("gateway")
    token = chain.directory / "token"
    token.write_text("right\n")
    grpc = {"insecure": False, "tls_config": {"cert_file": str(server.cert), "key_file": str(server.key)}}
    gateways = [chain.gateway([destination(region)], name=name, grpc=grpc, forwarders=[{"name": "a", "token_file": str(token)}])
                for name in ("first", "second")]
    forwarder = canary_of(chain, [g.address for g in gateways], insecure=False, token_file=str(token),
                          tls_config={"ca_file": str(authority.ca)})
    code, output, errors = run_canary(forwarder, status="none")
    assert code == 0 and output.count("OK") == output.count("not checked") == 2, (output, errors)
    assert [g.ledger()["delivered"] for g in gateways] == [2, 2]
    gateways[0].process.stop()
    code, output, errors = run_canary(forwarder, status="none", timeout="10s")
    assert code == 10 and gateways[0].address in errors and output.count("OK") == 1, (code, output, errors)
    assert gateways[1].ledger()["delivered"] == 4


def test_no_gateway(chain):
    address = f"127.0.0.1:{free_port()}"
    code, output, errors = run_canary(canary_of(chain, [address]), timeout="1s")
    assert code == 10 and f"no connection to gateway {address}" in errors and "what to do" in errors, (code, errors)
    assert output == ""


def test_a_wrong_token(chain):
    region = chain.region()
    gateway = chain.gateway([destination(region)], forwarders=[{"name": "a", "token": "right"}])
    code, output, errors = run_canary(canary_of(chain, [gateway.address], token="mistaken"), gateway)
    assert code == 11 and "UNAUTHENTICATED" in errors and "token_file" in errors, (code, errors)
    assert "mistaken" not in output + errors
    assert gateway.ledger()["accepted"] == 0


def test_a_region_that_refuses_the_credentials(chain):
    region = chain.region()
    region.control(mode="status", status=401)
    gateway = chain.gateway([destination(region)])
    code, output, errors = run_canary(canary_of(chain, [gateway.address]), gateway, timeout="10s")
    assert code == 13 and "durable" in output and "settled at" not in output, (code, output, errors)
    assert "destination region: held" in errors and "held" in errors and "401" in errors, errors
    assert (gateway.ledger()["pending"], gateway.ledger()["delivered"]) == (2, 0)
    region.control(mode="ok")
    wait_until(lambda: gateway.ledger()["delivered"] == 2, "it is delivered once the region takes it")
    ((series, samples),) = canaries(region).items()
    check_series(series, samples)


def test_what_is_not_delivered(chain):
    region = chain.region()
    region.control(mode="status", status=400)
    gateway = chain.gateway([destination(region)])
    forwarder = canary_of(chain, [gateway.address])
    code, _, errors = run_canary(forwarder, gateway)
    assert code == 14 and "did not deliver" in errors and "the region refused it: 400" in errors, (code, errors)
    region.control(mode="ok")
    gateway.config["remote_write"][0]["write_relabel_configs"] = [
        {"source_labels": ["__name__"], "regex": "istio_.*", "action": "keep"}]
    gateway.rewrite(gateway.config)
    code, _, errors = run_canary(forwarder, gateway)
    assert code == 14 and "dropped +2" in errors and "write_relabel_configs" in errors, (code, errors)
    assert balanced(gateway.ledger())


@pytest.mark.parametrize("status, code, words", [
    ("http://{host}:1", 15, "http://127.0.0.1:1/api/v1/forwarders"),
    ("region", 15, "HTTP status 404"),
    ("other gateway", 15, "does not know this forwarder"),
    ("http://user:pass@{host}:1", 2, "must not hold a user or a password"),
])
def test_a_wrong_status_address(chain, status, code, words):
    region = chain.region()
    gateway = chain.gateway([destination(region)])
    if status == "other gateway":
        status = chain.gateway([destination(region)], name="other").base
    elif status == "region":
        status = region.control_url
    result, _, errors = run_canary(canary_of(chain, [gateway.address]), status=status)
    assert result == code, (result, errors)
    assert words in errors, errors
    assert gateway.ledger()["accepted"] == 0, "nothing is sent when the account cannot be read"
