"""Every scrape of the mesh arrives once, in order, with equal values, whatever the region does."""

import time

import pytest
from support import assert_exact, balanced, destination, finish, wait_for_scrapes

from stack.process import wait_until


def start(chain, **settings):
    region, mesh = chain.region(), chain.mesh()
    gateway = chain.gateway([destination(region, **settings)])
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    return region, mesh, gateway, forwarder


def delivered_all(gateway):
    ledger = gateway.ledger()
    assert balanced(ledger), ledger
    assert ledger["delivered"] == ledger["accepted"], ledger
    return ledger


def test_region_up(chain):
    region, mesh, gateway, forwarder = start(chain)
    wait_for_scrapes(forwarder, 4)
    _, report = assert_exact(mesh, region, finish(forwarder, gateway))
    assert report["resends"] == 0, report
    assert delivered_all(gateway)["delivered"] == report["samples"]


def test_series_that_come_and_go(chain):
    region, mesh = chain.region(), chain.mesh(flags=["--churn", "0.3"])
    gateway = chain.gateway([destination(region)])
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    wait_for_scrapes(forwarder, 8)
    assert_exact(mesh, region, finish(forwarder, gateway))
    delivered_all(gateway)


@pytest.mark.parametrize("trouble", [
    pytest.param({"mode": "down"}, id="connection closed"),
    pytest.param({"mode": "status", "status": 500}, id="500"),
    pytest.param({"mode": "status", "status": 503}, id="503"),
    pytest.param({"mode": "status", "status": 429, "retry_after": 1}, id="429 with Retry-After"),
    pytest.param({"mode": "status", "status": 401}, id="401 then mended"),
    pytest.param({"mode": "status", "status": 404}, id="404 then mended"),
])
def test_region_in_trouble(chain, trouble):
    region, mesh, gateway, forwarder = start(chain)
    wait_for_scrapes(forwarder, 2)
    region.control(**trouble)
    wait_for_scrapes(forwarder, 5)
    wait_until(lambda: gateway.ledger()["pending"] > 0, "a backlog")
    region.control(mode="ok")
    wait_for_scrapes(forwarder, 7)
    assert_exact(mesh, region, finish(forwarder, gateway))
    delivered_all(gateway)


def test_region_far_away(chain):
    region, mesh, gateway, forwarder = start(chain)
    region.control(mode="ok", delay_ms=150)
    wait_for_scrapes(forwarder, 6)
    assert_exact(mesh, region, finish(forwarder, gateway))
    delivered_all(gateway)


def test_region_stores_and_cuts_the_answer(chain):
    region, mesh, gateway, forwarder = start(chain)
    wait_for_scrapes(forwarder, 2)
    region.control(mode="commit_then_close", times=5)
    wait_for_scrapes(forwarder, 6)
    _, report = assert_exact(mesh, region, finish(forwarder, gateway))
    assert report["resends"] > 0, report
    delivered_all(gateway)


def test_region_finds_requests_too_large(chain):
    region, mesh, gateway, forwarder = start(chain)
    region.control(max_bytes=20000)
    wait_for_scrapes(forwarder, 4)
    assert_exact(mesh, region, finish(forwarder, gateway))
    delivered_all(gateway)


@pytest.mark.parametrize("partial", [pytest.param(True, id="stores the good part"), pytest.param(False, id="refuses all")])
def test_region_refuses_one_metric(chain, partial):
    region, mesh, gateway, forwarder = start(chain)
    poisoned = "istio_build"
    region.control(reject_metric=poisoned, partial=partial)
    wait_for_scrapes(forwarder, 4)
    _, report = assert_exact(mesh, region, finish(forwarder, gateway), "--ignore-metric", poisoned)
    ledger = gateway.ledger()
    assert balanced(ledger), ledger
    refused = sum(ledger["rejected"].values()) + ledger["uncertain"]
    assert refused > 0
    assert ledger["delivered"] + refused == ledger["accepted"], ledger
    assert ledger["delivered"] == report["samples"], "nothing good counts as rejected"
    letters = gateway.json("/api/v1/dead_letters")
    assert poisoned in str(letters)


def test_region_hangs(chain):
    region, mesh, gateway, forwarder = start(chain, remote_timeout="1s")
    wait_for_scrapes(forwarder, 2)
    region.control(mode="hang", times=4)
    wait_for_scrapes(forwarder, 6)
    assert_exact(mesh, region, finish(forwarder, gateway))
    delivered_all(gateway)


def test_catch_up_overtakes_the_live_rate(chain):
    """While scraping goes on, a backlog of twelve scrapes shrinks to two, with 150 ms to the region."""
    region, mesh, gateway, forwarder = start(chain)
    region.control(mode="down")
    wait_for_scrapes(forwarder, 12)
    backlog = gateway.ledger()["pending"]
    region.control(mode="ok", delay_ms=150)
    begin = time.monotonic()
    wait_until(lambda: gateway.ledger()["pending"] <= backlog / 6, "the backlog shrinks", process=gateway.process)
    print(f"{backlog} samples of 12 s drained in {time.monotonic() - begin:.1f} s")
    assert_exact(mesh, region, finish(forwarder, gateway))
