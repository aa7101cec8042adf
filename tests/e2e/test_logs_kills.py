"""SIGKILL of either side at chosen system calls and at random moments: no line is lost, none is doubled."""

import random
import time

import pytest
from kill_at import Counted
from logs import LogChain, Writing, all_lines, arrived, differences, expected

from stack.process import wait_until

BURST = 30  # lines into each pod in every life
READS = ("read", "pread64", "readv", "recvmsg", "recvfrom")
WRITES = ("write", "pwrite64", "writev", "sendmsg", "sendto", "fdatasync", "fsync", "sync_file_range", "rename")


class Lives:
    """A chain whose programs are ended at system calls on the files of logs, on the store and on sockets."""

    def __init__(self, chain):
        self.logs = LogChain(chain, pods=3)
        self.forwarder = Counted(self.logs.forwarder.process, on=[self.logs.pods.root, "sockets"])
        self.gateway = Counted(self.logs.gateway.process, on=[self.logs.gateway.storage, "sockets"])
        self.rotations = 0

    def work(self):
        """What is done in a life: lines, a rotation, lines."""
        self.logs.pods.write(BURST)
        log = self.logs.pods.logs[self.rotations % len(self.logs.pods.logs)]
        self.rotations += 1
        log.rotate()
        self.logs.pods.write(BURST)

    def program(self, counted):
        return self.logs.forwarder if counted is self.forwarder else self.logs.gateway

    def whole(self):
        return self.logs.region.logs("logs").get("lines", 0) >= self.logs.pods.written()

    def live(self, counted):
        """Starts the program and works until it has ended or all is delivered; whether it ended."""
        process = counted.process
        process.start()
        self.work()
        wait_until(lambda: process.code() is not None or self.whole(), f"{process.name} ends or everything arrives")
        return process.code() is not None

    def count(self, counted):
        """The calls of a life in which nothing happens to it."""
        counted.process.stop()
        counted.spare()
        assert not self.live(counted), counted.process.tail()
        calls = counted.counts()
        counted.process.kill()
        return calls

    def end_at(self, counted, k, torn):
        """The calls of a life that was to end at the k-th and had nothing left to do before; None when it ended there."""
        counted.process.kill()
        counted.end_at(k, torn)
        return None if self.live(counted) else counted.total()

    def recover(self, counted, told):
        """It lives undisturbed: everything is there, once."""
        counted.process.kill()
        counted.spare()
        self.program(counted).start()
        wait_until(self.whole, f"every line, {told}", process=counted.process)
        found = differences(expected(self.logs.pods.logs), arrived(all_lines(self.logs.region)))
        counts = self.logs.region.logs("logs")
        assert not found and counts["doubles"] == 0, (told, found, counts)


@pytest.mark.parametrize("side", ["forwarder", "gateway"])
def test_killed_at_the_kth_call(chain, side, long_run):
    """Twenty on either side; in script/test --all every one, and what it did is looked at at once."""
    lives = Lives(chain)
    counted = getattr(lives, side)
    calls = lives.count(counted)
    assert set(calls) & set(READS) and set(calls) & set(WRITES), calls
    total = sum(calls.values())
    count = total if long_run else 20
    shorter = 0  # lives that had fewer calls than the place of their end
    for number in range(count):
        while True:  # no two lives are the same: the ends are spread over the shortest
            k = 1 + number * (total - 1) // (count - 1)
            lived = lives.end_at(counted, k, torn=number % 2 == 1)
            if lived is None:
                break
            assert lived > 1 and shorter < 3 * count, f"the lives of {side} have fewer and fewer calls: {lived}"
            total, shorter = min(total, lived), shorter + 1
        if long_run or number % 10 == 9:
            lives.recover(counted, f"when {side} had ended at call {k} of {total}")
    print(f"{side}: ended at {count} of {total} calls, {shorter} lives were shorter: {calls}")
    lives.logs.finish()


def kill_at_random(chain, kills, longest):
    logs = LogChain(chain, pods=5)
    chance = random.Random(11)
    writing = chain.own(Writing(logs.pods, lines=4, every=0.02, each=lambda log: log.rotate() if chance.random() < 0.01 else None))
    ends = {"forwarder": 0, "gateway": 0}
    for _ in range(kills):
        time.sleep(chance.uniform(0.05, longest))  # the moment of the kill is what varies
        side = chance.choice(sorted(ends))
        ends[side] += 1
        program = getattr(logs, side)
        program.process.kill()
        program.start()
    writing.stop()
    logs.finish()
    print(f"{ends} kills, {logs.pods.written()} lines, {logs.region.logs('logs')}")


def test_random_kills(chain):
    kill_at_random(chain, 20, 0.6)


def test_many_random_kills(chain, long_run):
    """In script/test --all."""
    if not long_run:
        pytest.skip("a long run: script/test --all")
    kill_at_random(chain, 200, 1.5)
