"""A backlog that is far larger, decoded, than the memory the gateway may use."""

import json
import os
import time

from memory_bound import MemoryBound
from support import assert_exact, balanced, destination, finish, wait_for_scrapes

from stack.process import wait_until

BOUND = 192 << 20


def start(gateway, bound):
    """Seconds until it is ready."""
    begin = time.monotonic()
    gateway.process.start()
    bound.hold(gateway.process)
    gateway.ready()
    return time.monotonic() - begin


def test_backlog_larger_than_memory(chain):
    region, mesh = chain.region(), chain.mesh(sidecars=8, flags=["--combinations", "60"])
    bound = chain.own(MemoryBound(f"ampari-e2e-{os.getpid()}", BOUND))
    gateway = chain.gateway([destination(region)], start=False)
    empty = start(gateway, bound)
    forwarder = chain.forwarder(gateway.address, [mesh.targets], interval="500ms")
    region.control(mode="down")
    wait_for_scrapes(forwarder, 20)
    gateway.process.kill()
    ready = start(gateway, bound)
    wait_for_scrapes(forwarder, 36)
    pending = gateway.ledger()["pending"]
    region.control(mode="ok")
    wait_until(lambda: gateway.ledger()["delivered"] > pending, "the backlog is delivered", process=gateway.process)
    stopped = finish(forwarder, gateway)
    resident = gateway.process.memory_bytes("VmHWM")
    verdict, report = assert_exact(mesh, region, stopped)
    decoded = sum(json.loads(line)["bytes"] for line in mesh.log.read_text().splitlines())
    print(f"ready after {ready:.2f} s; {pending:,} samples waited, {decoded >> 20} MiB decoded; resident at most {resident >> 20} MiB"
          f" of {BOUND >> 20} MiB{'' if bound.enforced else ' (not enforced here)'}; {verdict['verified']} scrapes exact")
    assert ready < 10 * empty + 10, f"an empty one was ready after {empty:.2f} s"
    assert resident <= BOUND and decoded > 3 * BOUND
    ledger = gateway.ledger()
    assert balanced(ledger) and ledger["delivered"] == ledger["accepted"] == report["samples"], ledger
