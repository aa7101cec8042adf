"""SIGKILL of either side, with the region up and down: nothing acknowledged is lost, nothing is doubled."""

import time

import pytest
from support import assert_exact, assert_no_trouble, balanced, destination, finish, scrapes, wait_for_delivery, wait_for_scrapes

from stack.process import wait_until


def start(chain, **options):
    region, mesh = chain.region(), chain.mesh()
    gateway = chain.gateway([destination(region)], **options)
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    wait_for_scrapes(forwarder, 2)
    return region, mesh, gateway, forwarder


@pytest.mark.parametrize("region_up", [True, False], ids=["region up", "region down"])
def test_gateway_killed(chain, region_up):
    region, mesh, gateway, forwarder = start(chain)
    if not region_up:
        region.control(mode="down")
    for _ in range(3):
        before = scrapes(forwarder)
        gateway.process.kill()
        gateway.start()
        wait_for_scrapes(forwarder, before + 2)
    region.control(mode="ok")
    assert_exact(mesh, region, finish(forwarder, gateway))
    ledger = gateway.ledger()
    assert balanced(ledger) and ledger["delivered"] == ledger["accepted"], ledger


def lost_at_most(mesh, region, stopped, targets, kills):
    """The verdict when a forwarder was killed: one scrape per target and kill may be missing, each one whole."""
    verdict, _ = mesh.verify("--region", region.control_url, "--until", stopped)
    assert (verdict["partial"], verdict["doubled"], verdict["wrong"], verdict["extra"]) == (0, 0, 0, 0), verdict
    assert verdict["lost"] <= targets * kills, verdict
    assert_no_trouble(region)


@pytest.mark.parametrize("region_up", [True, False], ids=["region up", "region down"])
@pytest.mark.parametrize("both", [False, True], ids=["forwarder", "both"])
def test_forwarder_killed(chain, region_up, both):
    region, mesh, gateway, forwarder = start(chain)
    targets = len(forwarder.targets()["targets"])
    if not region_up:
        region.control(mode="down")
    kills = 3
    for _ in range(kills):
        time.sleep(1.3)  # somewhere within a flush
        forwarder.process.kill()
        if both:
            gateway.process.kill()
            gateway.start()
        forwarder.start()
        wait_for_scrapes(forwarder, 2)
    region.control(mode="ok")
    lost_at_most(mesh, region, finish(forwarder, gateway), targets, kills)
    assert balanced(gateway.ledger())


def test_restart_with_a_backlog_larger_than_memory(chain):
    region, mesh = chain.region(), chain.mesh(sidecars=6, flags=["--combinations", "60"])
    gateway = chain.gateway([destination(region)])
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    region.control(mode="down")
    wait_for_scrapes(forwarder, 10, 90)
    gateway.process.kill()
    begin = time.monotonic()
    gateway.start()
    ready = time.monotonic() - begin
    assert gateway.ledger()["pending"] > 0
    region.control(mode="ok")
    wait_for_delivery(gateway, 120)
    assert ready < 10, f"ready after {ready:.1f} s"
    assert_exact(mesh, region, finish(forwarder, gateway))
    assert gateway.process.memory_bytes() < 512 << 20


def test_gateway_away_while_the_forwarder_scrapes(chain):
    region, mesh, gateway, forwarder = start(chain)
    gateway.process.stop()
    before = scrapes(forwarder)
    wait_for_scrapes(forwarder, before + 4)
    gateway.start()
    wait_for_scrapes(forwarder, before + 6)
    assert_exact(mesh, region, finish(forwarder, gateway))


def test_random_kills(chain, long_run):
    """In script/test --all: kills of either side at random moments under load."""
    if not long_run:
        pytest.skip("a long run: script/test --all")
    import random
    rounds, chance = 60, random.Random(7)
    region, mesh, gateway, forwarder = start(chain)
    targets, kills = len(forwarder.targets()["targets"]), 0
    for _ in range(rounds):
        time.sleep(chance.uniform(0.2, 2.0))
        if chance.random() < 0.5:
            gateway.process.kill()
            gateway.start()
        else:
            forwarder.process.kill()
            kills += 1
            forwarder.start()
    lost_at_most(mesh, region, finish(forwarder, gateway), targets, kills)
