"""What the forwarder says of its targets, and what the region hears of scrapes that fail."""

import json
import struct

from support import assert_exact, balanced, destination, finish, wait_for_scrapes

from stack.process import fetch, wait_until


REMOTE_WRITE_TYPES = {"untyped": 0, "counter": 1, "gauge": 2, "histogram": 3, "summary": 5}  # MetricMetadata of remote write 1.0


def exposed_metadata(body):
    """{family: (type, unit, help)} of a text body, the type as a number of remote write."""
    lines = body.splitlines()
    helps = dict(line.split(" ", 3)[2:4] for line in lines if line.startswith("# HELP "))
    types = dict(line.split()[2:4] for line in lines if line.startswith("# TYPE "))
    return {family: (str(REMOTE_WRITE_TYPES[kind]), "", helps.get(family, "")) for family, kind in types.items()}


def label(series, name):
    return series.split(f'{name}="', 1)[1].split('"', 1)[0] if f'{name}="' in series else ""


def number(bits):
    return struct.unpack(">d", bytes.fromhex(bits.zfill(16)))[0]


def ups(region):
    """{instance: [up's values in order]}, staleness markers apart."""
    found = {}
    for series, samples in region.samples().items():
        if '__name__="up"' in series:
            found[label(series, "instance")] = [number(bits) for _, bits in samples if bits != "7ff0000000000002"]
    return found


def test_targets_page(chain):
    region, mesh = chain.region(), chain.mesh(sidecars=2)
    gateway = chain.gateway([destination(region)])
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    wait_for_scrapes(forwarder, 2)
    page = forwarder.targets()
    for target in page["targets"]:
        assert target["health"] == "up" and target["last_error"] == "" and target["samples"] > 100, target
        assert target["labels"]["pod"] == target["discovered_labels"]["__meta_kubernetes_pod_name"], target
        assert target["url"] in (f"http://{target['labels']['instance']}/stats/prometheus",
                                 f"http://{target['labels']['instance']}/metrics"), target
    assert len(page["targets"]) == 3
    assert (page["dropped"], page["dropped_total"]) == ([], 0), "equal targets of one pod are one target, not dropped ones"


def test_dropped_targets_say_why(chain):
    region = chain.region()
    gateway = chain.gateway([destination(region)])
    job = {"job_name": "picky", "static_configs": [{"targets": [f"127.0.0.1:{region.control_port}", "127.0.0.1:1"]}],
           "metrics_path": "/metadata", "relabel_configs": [{"source_labels": ["__address__"], "action": "drop", "regex": ".*:1"}]}
    forwarder = chain.forwarder(gateway.address, [], jobs=[job])
    wait_until(lambda: forwarder.targets()["dropped_total"] == 1, "one target is dropped")
    (dropped,) = forwarder.targets()["dropped"]
    assert dropped["discovered_labels"]["__address__"] == "127.0.0.1:1" and "relabel" in dropped["reason"], dropped


def test_failing_scrapes(chain):
    region = chain.region()
    mesh = chain.mesh(flags=["--fault", "status=0.2", "--fault", "badline=0.15", "--fault", "cut=0.1", "--fault", "duplicate=0.1"])
    gateway = chain.gateway([destination(region)])
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    wait_for_scrapes(forwarder, 10)
    down = lambda: [t for t in forwarder.targets()["targets"] if t["health"] == "down"]
    assert wait_until(down, "a target is down")[0]["last_error"]
    verdict, _ = assert_exact(mesh, region, finish(forwarder, gateway), "--check-stale")
    assert verdict["failing"] > 0, verdict
    expected = {}
    for line in mesh.log.read_text().splitlines():
        served = json.loads(line)
        expected.setdefault(served["address"], []).append(1.0 if served["fault"] in ("none", "duplicate") else 0.0)
    found = ups(region)
    if verdict["given_up"] > 0:  # the machine stood still: what was served came too late
        late = sum(values.count(1.0) for values in expected.values()) - sum(values.count(1.0) for values in found.values())
        assert late >= verdict["given_up"], verdict
        return
    assert found.keys() == expected.keys() and {v for values in found.values() for v in values} == {0.0, 1.0}
    for instance, values in expected.items():
        assert len(found[instance]) >= len(values) - 1, "at most the last one was under way at the end"
        assert found[instance] == values[:len(found[instance])], instance
    assert balanced(gateway.ledger())


def test_metadata_reaches_the_region(chain):
    region, mesh = chain.region(), chain.mesh()
    gateway = chain.gateway([destination(region, metadata_config={"send_interval": "1s"})])
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    wait_for_scrapes(forwarder, 2)
    wait_until(lambda: any(family.startswith("istio_") for family in region.metadata()), "metadata arrives")
    told = {}  # {family: what the targets say of it}; several may say different things, one of them holds
    for target in forwarder.targets()["targets"]:
        for family, entry in exposed_metadata(fetch(target["url"])[1].decode()).items():
            told.setdefault(family, set()).add(entry)
    wait_until(lambda: set(region.metadata()) >= set(told), "metadata of every family")
    found = region.metadata()
    assert len([family for family in told if family.startswith("istio_")]) > 3
    assert not {family: (found[family], entries) for family, entries in told.items() if found[family] not in entries}
    finish(forwarder, gateway)
