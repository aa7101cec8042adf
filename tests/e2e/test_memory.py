"""A backlog that is far larger, decoded, than the memory the gateway may use."""

import json
import os
import pathlib
import time

from support import assert_exact, balanced, destination, finish, wait_for_scrapes

from stack.process import wait_until

CGROUPS = pathlib.Path("/sys/fs/cgroup/memory")
BOUND = 192 << 20


class MemoryBound:
    """A memory limit by the kernel where it can be had (cgroup v1, page cache included); else nothing but a number to compare with."""

    def __init__(self, name, limit):
        self.directory, self.limit, self.enforced = CGROUPS / name, limit, False
        try:
            self.directory.mkdir(exist_ok=True)
            (self.directory / "memory.limit_in_bytes").write_text(str(limit))
            self.enforced = True
        except OSError:
            pass

    def hold(self, process):
        if self.enforced:
            (self.directory / "cgroup.procs").write_text(str(process.child.pid))

    def stop(self, _=None):
        if self.enforced:
            wait_until(lambda: not (self.directory / "cgroup.procs").read_text().strip(), "the group is empty")
            self.directory.rmdir()


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
