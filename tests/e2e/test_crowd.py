"""Two hundred forwarders at one gateway: it goes away and comes back, and so do they, not all at once."""

import json

import pytest
from support import assert_no_trouble, balanced, destination

from stack.process import Process, wait_until
from stack.programs import BUILD

FORWARDERS, SERIES = 200, 50
MEMORY = (256 << 20) + FORWARDERS * SERIES * 250  # what a gateway may need with so many series


class Crowd:
    """tests/support/ampari-test-crowd."""

    def __init__(self, chain, gateway):
        self.process = chain.own(Process("crowd", [BUILD / "tests/support/ampari-test-crowd", "--gateway", gateway.address, "--forwarders",
                                                   FORWARDERS, "--series", SERIES], chain.directory, obeys=True)).start()

    def ask(self, question):
        before = len(self._answers())
        self.process.tell(question)
        wait_until(lambda: len(self._answers()) > before, f"the crowd answers {question}", process=self.process)
        return json.loads(self._answers()[-1])

    def _answers(self):
        whole = self.process.log.read_text(errors="replace").rpartition("\n")[0]
        return [line for line in whole.splitlines() if line.startswith(("{", "["))]

    def all_connected(self):
        return self.ask("status")["connected"] == FORWARDERS


def most_within(times, ms):
    """The largest number of the sorted times within any such stretch."""
    return max(sum(begin <= t < begin + ms for t in times) for begin in times)


def test_a_crowd_comes_back(chain, long_run):
    if not long_run:
        pytest.skip("a long run: script/test --all")
    region = chain.region()
    gateway = chain.gateway([destination(region)])
    crowd = Crowd(chain, gateway)
    wait_until(crowd.all_connected, "all are connected", process=gateway.process, every=0.5)
    gateway.process.kill()
    connects = crowd.ask("status")["connects"]
    wait_until(lambda: crowd.ask("status")["connects"] > connects + 6 * FORWARDERS, "everybody has tried often", process=crowd.process, every=0.5)
    gateway.start()
    wait_until(crowd.all_connected, "all are back", process=gateway.process, every=0.2)
    times = sorted(crowd.ask("times"))
    assert times[-1] - times[0] <= 10_000, "each tries again within 5 s"
    assert most_within(times, 500) <= FORWARDERS / 2, f"they come one after the other: {times}"
    wait_until(lambda: crowd.ask("status")["acknowledged"] > FORWARDERS * 0.9, "the backlog is acknowledged", process=gateway.process, every=0.5)
    ended = crowd.ask("stop")
    assert ended["drained"] == FORWARDERS
    wait_until(lambda: gateway.ledger()["pending"] == 0, "everything is delivered", process=gateway.process)
    ledger = gateway.ledger()
    assert balanced(ledger) and ledger["accepted"] == ledger["delivered"] == ended["pushed"] == region.tenant()["samples"], (ledger, ended)
    assert_no_trouble(region)
    print(f"memory at its highest: {gateway.process.memory_bytes('VmHWM') >> 20} MiB; back within {times[-1] - times[0]} ms, "
          f"at most {most_within(times, 500)} within 500 ms")
    assert gateway.process.memory_bytes("VmHWM") < MEMORY
