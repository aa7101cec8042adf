"""SIGKILL of either side, with the region up and down: nothing acknowledged is lost, nothing is doubled."""

import random
import re
import time
from collections import Counter

import pytest
from support import assert_exact, assert_no_trouble, balanced, destination, finish, scrapes, wait_for_scrapes

from stack.process import wait_until
from stack.programs import metric


RARELY = "3s"  # much more than a flush (1 s) and a commit: only one scrape of a target can wait


def start(chain, interval="1s"):
    region, mesh = chain.region(), chain.mesh()
    gateway = chain.gateway([destination(region)])
    forwarder = chain.forwarder(gateway.address, [mesh.targets], interval=interval)
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


def lost_at_most_one_scrape(mesh, region, stopped, kills):
    """The verdict when a forwarder was killed at the times `kills` (ms): per target and kill the scrape under way or just done
    may be missing, as a whole; every one is printed."""
    verdict, _ = mesh.verify("--region", region.control_url, "--until", stopped)
    assert {k: verdict[k] for k in ("partial", "doubled", "wrong", "extra", "unexplained", "missing_stale")} == dict.fromkeys(
        ("partial", "doubled", "wrong", "extra", "unexplained", "missing_stale"), 0), verdict
    assert verdict["verified"] + verdict["lost"] + verdict["given_up"] == verdict["scrapes"], verdict
    lost = [re.match(r"(\S+) step \d+ served at (\d+): lost", example).groups() for example in verdict["examples"]]
    assert len(lost) == verdict["lost"] <= 50
    for target, served in lost:
        print(f"lost: {target} at {served}")
    by_kill = Counter((target, next((k for k in kills if k >= int(served)), None)) for target, served in lost)
    assert all(kill is not None and count == 1 for (_, kill), count in by_kill.items()), by_kill
    assert_no_trouble(region)


def kill(forwarder, after):
    """Kills it so many seconds (less than a flush) after a moment at which everything in its ring was acknowledged, so that one scrape of
    a target can wait however slow the disk is. The wall time (ms) after which it surely did nothing."""
    wait_until(lambda: waiting(forwarder) == 0, "what was sent is acknowledged", process=forwarder.process)
    time.sleep(after)  # the moment of the kill is what varies
    forwarder.process.kill()
    return int(time.time() * 1000)


def waiting(forwarder):
    return metric(forwarder.metrics(), "ampari_forwarder_ring_unacknowledged_bytes")


@pytest.mark.parametrize("region_up", [True, False], ids=["region up", "region down"])
@pytest.mark.parametrize("both", [False, True], ids=["forwarder", "both"])
def test_forwarder_killed(chain, region_up, both):
    region, mesh, gateway, forwarder = start(chain, interval=RARELY)
    if not region_up:
        region.control(mode="down")
    kills = []
    for after in (0, 0.4, 0.8):
        kills.append(kill(forwarder, after))
        if both:
            gateway.process.kill()
            gateway.start()
        forwarder.start()
        wait_for_scrapes(forwarder, 2)
    region.control(mode="ok")
    lost_at_most_one_scrape(mesh, region, finish(forwarder, gateway), kills)
    ledger = gateway.ledger()
    assert balanced(ledger) and ledger["delivered"] == ledger["accepted"], ledger


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
    rounds, chance = 60, random.Random(7)
    region, mesh, gateway, forwarder = start(chain, interval=RARELY)
    kills = []
    for _ in range(rounds):
        time.sleep(chance.uniform(0.2, 2.0))  # the moment of the kill is what varies
        if chance.random() < 0.5:
            gateway.process.kill()
            gateway.start()
        else:
            kills.append(kill(forwarder, chance.uniform(0, 0.8)))
            forwarder.start()
    lost_at_most_one_scrape(mesh, region, finish(forwarder, gateway), kills)
