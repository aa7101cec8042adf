"""Reload: a destination's URL or token changes, destinations come and go, and the backlog stays."""

import copy

from support import assert_exact, balanced, complete_until, destination, finish, wait_for_scrapes

from stack.process import fetch, wait_until


def test_new_token_and_url_keep_the_backlog(chain):
    region, mesh = chain.region(token="new-secret"), chain.mesh()
    wrong = {**destination(region), "authorization": {"credentials": "old-secret"}}
    gateway = chain.gateway([wrong])
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    wait_for_scrapes(forwarder, 3)
    wait_until(lambda: gateway.ledger()["pending"] > 0, "something is stored", process=gateway.process)
    assert gateway.ledger()["delivered"] == 0
    config = copy.deepcopy(gateway.config)
    config["remote_write"][0]["authorization"]["credentials"] = "new-secret"
    gateway.rewrite(config)
    assert_exact(mesh, region, finish(forwarder, gateway))
    for text in (gateway.process.log.read_text(), gateway.metrics(), str(gateway.json("/api/v1/destinations"))):
        assert "old-secret" not in text and "new-secret" not in text


def test_removed_destination_resumes_when_it_comes_back(chain):
    region, mesh = chain.region(), chain.mesh()
    gateway = chain.gateway([destination(region), {"name": "other", "url": region.url, "headers": {"X-Scope-OrgID": "other"}}])
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    wait_for_scrapes(forwarder, 2)
    config = copy.deepcopy(gateway.config)
    removed = config["remote_write"].pop(0)
    gateway.rewrite(config)
    wait_for_scrapes(forwarder, 4)
    config["remote_write"].append(removed)
    gateway.rewrite(config)
    wait_for_scrapes(forwarder, 6)
    stopped = finish_all(forwarder, gateway)
    assert_exact(mesh, region, stopped)
    assert all(balanced(ledger) for ledger in gateway.ledgers().values())


def finish_all(forwarder, gateway):
    stopped = complete_until(forwarder)
    assert forwarder.process.stop() == 0
    wait_until(lambda: all(l["pending"] == 0 for l in gateway.ledgers().values()), "all are delivered")
    return stopped


def test_added_destinations_start_where_they_are_told(chain):
    region, new, old = chain.region(), chain.region(name="new"), chain.region(name="old")
    mesh = chain.mesh()
    region.control(mode="down")  # so that everything stays stored
    gateway = chain.gateway([destination(region)])
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    wait_for_scrapes(forwarder, 3)
    wait_until(lambda: gateway.ledger()["accepted"] > 0, "something is stored")
    config = copy.deepcopy(gateway.config)
    config["remote_write"] += [{**destination(new), "name": "new"}, {**destination(old), "name": "old", "start": "oldest"}]
    before = gateway.ledger()["accepted"]
    gateway.rewrite(config)
    wait_for_scrapes(forwarder, 6)
    region.control(mode="ok")
    finish_all(forwarder, gateway)
    ledgers = {name: ledger for (_, name), ledger in gateway.ledgers().items()}
    assert all(balanced(ledger) and ledger["delivered"] == ledger["accepted"] for ledger in ledgers.values()), ledgers
    assert old.samples() == region.samples(), "start: oldest has everything that was still stored"
    everything, later = region.samples(), new.samples()
    assert 0 < ledgers["new"]["accepted"] <= ledgers["region"]["accepted"] - before, ledgers
    for series, samples in later.items():
        assert samples == everything[series][-len(samples):], f"{series}: from some moment on, all"


def test_more_disk_by_reload(chain):
    region, mesh = chain.region(), chain.mesh()
    gateway = chain.gateway([destination(region)])
    assert gateway.json("/api/v1/queue")["max_bytes"] == 512 << 20
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    wait_for_scrapes(forwarder, 2)
    config = copy.deepcopy(gateway.config)
    config["storage"]["max_bytes"] = "1GiB"
    gateway.rewrite(config)
    wait_until(lambda: gateway.json("/api/v1/queue")["max_bytes"] == 1 << 30, "the new size is in force")
    assert_exact(mesh, region, finish(forwarder, gateway))


def test_a_broken_configuration_changes_nothing(chain):
    region, mesh = chain.region(), chain.mesh()
    gateway = chain.gateway([destination(region)])
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    gateway.config_file.write_text("storage: {directry: /x}\n")
    status, body = fetch(f"{gateway.base}/-/reload", data=b"")
    assert status >= 400 and b"directry" in body and b"directory" in body, body
    forwarder.config_file.write_text("scrape_configs: [{job_name: a, scrape_intervall: 1s}]\n")
    status, body = fetch(f"{forwarder.base}/-/reload", data=b"")
    assert status >= 400 and b"scrape_intervall" in body and b"scrape_interval" in body, body
    assert fetch(f"{gateway.base}/-/reload")[0] == 405
    wait_for_scrapes(forwarder, 3)
    assert_exact(mesh, region, finish(forwarder, gateway))
