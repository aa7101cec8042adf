"""A relay between the programs records what was acknowledged; whatever happens, the gateway has all of it and the region gets it once."""

import time

import pytest
from support import assert_exact, assert_no_trouble, balanced, destination, finish, scrapes, wait_for_scrapes

from stack.process import wait_until


def acknowledged(record):
    """({instance: acknowledged up to}, samples acknowledged), gaps apart, and that a resent frame is the same frame."""
    marks, frames = {}, {}
    for event in record:
        kind, instance = event["event"], event.get("instance")
        if kind == "ack":
            marks[instance] = max(marks.get(instance, 0), event["to"])
        elif kind == "welcome":
            marks[instance] = max(marks.get(instance, 0), event["mark"])
        elif kind == "frame":
            content = (event["items"], event["checksum"])
            assert frames.setdefault((instance, event["sequence"]), content) == content, event
    return marks, sum(items for (instance, sequence), (items, _) in frames.items() if sequence <= marks.get(instance, 0))


def start(chain):
    region, mesh = chain.region(), chain.mesh()
    gateway = chain.gateway([destination(region)])
    relay = chain.relay(gateway.address)
    forwarder = chain.forwarder(relay.address, [mesh.targets])
    wait_for_scrapes(forwarder, 2)
    return region, mesh, gateway, relay, forwarder


def kill_gateway(gateway, relay):
    """Everything acknowledged before the kill is there after it."""
    gateway.process.kill()
    _, promised = acknowledged(relay.record())
    gateway.start()
    assert gateway.ledger()["accepted"] >= promised


def settled(gateway, relay, unheard=0):
    """`unheard`: samples that were sent by forwarders that did not live to hear of them; stored or not, it was not promised."""
    _, promised = acknowledged(relay.record())
    ledger = gateway.ledger()
    assert promised > 0 and balanced(ledger) and ledger["delivered"] == ledger["accepted"], ledger
    assert promised <= ledger["accepted"] <= promised + unheard, (ledger, promised, unheard)


def unheard(record):
    """Samples of frames that nobody saw acknowledged."""
    marks, _ = acknowledged(record)
    frames = {(e["instance"], e["sequence"]): e["items"] for e in record if e["event"] == "frame"}
    return sum(items for (instance, sequence), items in frames.items() if sequence > marks.get(instance, 0))


def lives(relay):
    """Instances that were welcomed."""
    return len(acknowledged(relay.record())[0])


@pytest.mark.parametrize("region_up", [True, False], ids=["region up", "region down"])
def test_kills_and_cuts(chain, region_up):
    region, mesh, gateway, relay, forwarder = start(chain)
    if not region_up:
        region.control(mode="down")
    for _ in range(3):
        before = scrapes(forwarder)
        relay.tell("cut")
        kill_gateway(gateway, relay)
        wait_for_scrapes(forwarder, before + 2)
        relay.tell("cut")
    region.control(mode="ok")
    assert_exact(mesh, region, finish(forwarder, gateway))
    settled(gateway, relay)


def test_acknowledgements_that_never_arrive(chain):
    region, mesh, gateway, relay, forwarder = start(chain)
    for _ in range(2):
        relay.tell("drop-acks")
        before = scrapes(forwarder)
        wait_for_scrapes(forwarder, before + 2)
        relay.tell("cut")
        kill_gateway(gateway, relay)
        relay.tell("pass-acks")
        wait_for_scrapes(forwarder, before + 4)
    assert_exact(mesh, region, finish(forwarder, gateway))
    settled(gateway, relay)


def test_a_network_that_is_away(chain):
    region, mesh, gateway, relay, forwarder = start(chain)
    relay.tell("refuse")
    relay.tell("cut")
    before = scrapes(forwarder)
    wait_for_scrapes(forwarder, before + 5)
    held = gateway.ledger()["accepted"]
    relay.tell("accept")
    wait_for_scrapes(forwarder, before + 7)
    assert_exact(mesh, region, finish(forwarder, gateway))
    assert gateway.ledger()["accepted"] > held
    settled(gateway, relay)


def test_forwarder_killed_behind_the_relay(chain):
    region, mesh, gateway, relay, forwarder = start(chain)
    for life in range(1, 4):
        wait_until(lambda n=life: lives(relay) == n, "it is welcomed", process=forwarder.process)
        time.sleep(0.3 * life)  # somewhere within a flush
        forwarder.process.kill()
        relay.tell("cut")
        forwarder.start()
        wait_for_scrapes(forwarder, 1)
    finish(forwarder, gateway)
    settled(gateway, relay, unheard(relay.record()))
    assert_no_trouble(region)
    assert lives(relay) == 4
