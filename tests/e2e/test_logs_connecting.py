"""Who reads which file from where: lost disks, two forwarders with one name, files new and old."""

import os
import shutil
import signal
import time

import pytest
from logs import LogChain, Writing, all_lines, arrived, differences, expected, files

from stack.process import wait_until
from stack.programs import metric

OLD = 3 * 3600  # seconds


def counter(forwarder, name):
    return metric(forwarder.metrics(), f"ampari_forwarder_log_{name}")


# --- where a file begins

def age(log, seconds):
    """As if the file had been written so long ago."""
    then = time.time() - seconds
    os.utime(log.path, (then, then))


def old_log(pods):
    (log,) = pods.add()
    for number, line in enumerate(pods.lines(20)):
        log.write(line, time_ns=time.time_ns() - OLD * 10**9 + number)
    age(log, OLD)
    return log


def test_old_files_of_a_new_node_begin_at_their_end(chain):
    logs = LogChain(chain, start="auto", forwarder={"start": False})
    log = old_log(logs.pods)
    skipped = log.path.stat().st_size
    logs.forwarder.start()
    wait_until(lambda: files(logs.forwarder).get(str(log.path), {}).get("skipped_bytes") == skipped, "what is skipped is counted",
               process=logs.forwarder.process)
    assert counter(logs.forwarder, "skipped_bytes_total") == skipped
    log.written.clear()
    log.write(*logs.pods.lines(10))
    logs.finish()


@pytest.mark.parametrize("start, all_of_it", [("beginning", True), ("end", False)])
def test_where_files_begin_as_set(chain, start, all_of_it):
    logs = LogChain(chain, start=start, forwarder={"start": False})
    log = old_log(logs.pods)
    skipped = 0 if all_of_it else log.path.stat().st_size
    logs.forwarder.start()
    wait_until(lambda: str(log.path) in files(logs.forwarder) and files(logs.forwarder)[str(log.path)]["skipped_bytes"] == skipped,
               "the file is read", process=logs.forwarder.process)
    if not all_of_it:
        log.written.clear()
    log.write(*logs.pods.lines(10))
    logs.finish()


def test_a_fresh_file_of_a_long_known_node_begins_at_its_beginning(chain):
    logs = LogChain(chain, start="auto", pods=1)
    logs.pods.write(5)
    logs.wait()
    logs.forwarder.process.stop()
    (log,) = logs.pods.add()
    log.write(*logs.pods.lines(10))
    logs.forwarder.start()
    logs.finish()
    assert logs.region.logs("logs")["lines"] == 15


def test_a_quiet_file_is_still_known_after_days(chain):
    logs = LogChain(chain, start="auto", pods=2)
    logs.pods.write(10)
    logs.wait()
    logs.forwarder.process.stop()
    logs.gateway.process.stop()
    quiet = logs.pods.logs[0]
    age(quiet, 5 * 24 * 3600)
    logs.gateway.start()
    logs.forwarder.start()
    logs.wait_for_reading()
    quiet.write(*logs.pods.lines(3))
    logs.finish()


# --- a gateway that lost its disk

def lose_disk(gateway):
    gateway.process.kill()
    shutil.rmtree(gateway.storage)


@pytest.mark.parametrize("written_meanwhile", [False, True], ids=["quiet", "busy"])
def test_a_gateway_that_lost_its_disk_after_all_was_delivered(chain, written_meanwhile):
    """The files are offered with the positions that were read: what is settled is not sent again."""
    logs = LogChain(chain, pods=5, start="auto")
    logs.pods.write(50)
    logs.wait()
    wait_until(lambda: settled(logs.forwarder), "the forwarder knows that all is settled", process=logs.forwarder.process)
    lose_disk(logs.gateway)
    if written_meanwhile:
        logs.pods.write(20)
    logs.gateway.start()
    logs.pods.write(20)
    logs.wait()
    assert logs.forwarder.process.stop() == 0
    assert_exactly(logs)


def settled(forwarder):
    """Whether it knows that everything it ever sent is settled."""
    gateway = forwarder.targets()["logs"]["gateway"]
    return gateway["last_sequence"] == gateway["settled_sequence"] > 0


def assert_exactly(logs):
    told = differences(expected(logs.pods.logs), arrived(all_lines(logs.region)))
    assert not told, "\n".join(told)


def test_a_gateway_that_lost_its_disk_with_a_backlog(chain):
    """What was acknowledged and not delivered is still in the ring or on disk, and is sent again."""
    logs = LogChain(chain, pods=5)
    logs.region.control(mode="down", signal="logs")
    logs.pods.write(50)
    logs.wait_for_reading()
    logs.wait_until_stored()
    lose_disk(logs.gateway)
    logs.pods.write(20)
    logs.gateway.start()
    logs.region.control(mode="ok", signal="logs")
    logs.finish()


# --- two forwarders with one name

def second(logs, start=True):
    return logs.start_forwarder("second", start=start, gateway={"name": "forwarder"})


def test_a_surge_update(chain):
    """The new one starts beside the old one, then the old one ends; more than once."""
    logs = LogChain(chain, pods=5)
    writing = chain.own(Writing(logs.pods))
    old, new = logs.forwarder, second(logs, start=False)
    for _ in range(4):
        new.start()
        before = logs.region.logs("logs").get("lines", 0)
        logs.wait(lines=before + 500)
        assert old.process.stop() == 0, old.process.tail()
        old, new = new, old
    writing.stop()
    logs.forwarder = old
    logs.finish()


def test_a_clone_that_runs_beside_it(chain):
    logs = LogChain(chain, pods=5)
    writing = chain.own(Writing(logs.pods))
    clone = second(logs)
    logs.wait(lines=2000)
    logs.forwarder.process.kill()
    logs.forwarder.start()
    logs.wait(lines=logs.region.logs("logs")["lines"] + 1000)
    writing.stop()
    logs.wait()
    assert clone.process.stop() == 0
    logs.finish()


def test_a_process_that_slept(chain):
    """Stopped with lines that it has read, it wakes when another has read the same."""
    logs = LogChain(chain, pods=5)
    logs.pods.write(20)
    logs.wait()
    successor = second(logs, start=False)
    for _ in range(3):
        logs.gateway.process.signal(signal.SIGSTOP)
        logs.pods.write(300)
        logs.wait_for_reading()
        logs.forwarder.process.signal(signal.SIGSTOP)
        logs.gateway.process.signal(signal.SIGCONT)
        successor.start()
        logs.pods.write(10)
        logs.wait()
        logs.forwarder.process.signal(signal.SIGCONT)
        logs.pods.write(10)
        logs.wait()
        assert successor.process.stop() == 0
        logs.forwarder.process.kill()
        logs.forwarder.start()
        logs.pods.write(10)
        logs.wait()
    logs.finish()


def test_frames_that_come_too_late_are_refused(chain):
    """Several frames of the old process are held on their way while the new one sends the same lines on a connection of its own."""
    relays = []
    def through_relay(gateway):
        relays.append(chain.relay(gateway.address))
        return relays[0].address
    logs = LogChain(chain, pods=10, address=through_relay)
    logs.pods.write(20)
    logs.wait()
    (relay,) = relays
    relay.tell("hold")
    for _ in range(4):
        logs.pods.write(300)  # more than a flush each
    logs.wait_for_reading()
    successor = second(logs)
    logs.wait()
    relay.tell("release")
    wait_until(lambda: refused(relay), "what comes late is refused", process=logs.forwarder.process)
    logs.pods.write(20)
    logs.wait()
    assert logs.forwarder.process.stop() == 0, logs.forwarder.process.tail()
    logs.forwarder = successor
    logs.pods.write(20)
    logs.finish()


def refused(relay):
    return [event for event in relay.record() if event["event"] == "refusal" and event["reason"] == "REASON_POSITION"]


# --- files that are gone for a while

def test_a_directory_that_was_away(chain):
    """Its files are read on: what was read of them is still known."""
    logs = LogChain(chain, pods=3)
    logs.pods.write(20)
    logs.wait()
    log = logs.pods.logs[0]
    away = logs.pods.root.parent / "away"
    log.directory.rename(away)
    wait_until(lambda: str(log.path) not in files(logs.forwarder), "the files are left", process=logs.forwarder.process)
    logs.pods.write(10, logs.pods.logs[1:])
    logs.wait()
    away.rename(log.directory)
    logs.pods.write(10)
    logs.finish()
