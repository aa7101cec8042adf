"""Files that are renamed, compressed, copied, truncated and removed while they are read, at any speed."""

import itertools
import time

import pytest
from logs import LogChain, all_lines, assert_no_log_trouble, files, incompressible, wait_for_log_delivery

from stack.process import wait_until
from stack.programs import metric


def unread(forwarder):
    return metric(forwarder.metrics(), "ampari_forwarder_log_rotated_unread_bytes_total")


def torture(chain, pods, hot, seconds, every, rotate, restart_every):
    """All pods write; `hot` of them at a time, moving on, rotate each `every` seconds; the forwarder restarts meanwhile."""
    logs = LogChain(chain, pods=pods)
    begin, turn = time.monotonic(), itertools.count()
    restart_at = begin + restart_every
    while time.monotonic() < begin + seconds:
        now = time.monotonic()
        number = next(turn)
        for i in range(hot):
            log = logs.pods.logs[(number // 4 * hot + i) % pods]
            log.write(*logs.pods.lines(3))
            log.write("from the other output", stream="stderr")
            rotate(log, number)
            log.write(*logs.pods.lines(1))
        if now > restart_at:
            (logs.forwarder.process.kill if number % 2 else logs.forwarder.process.stop)()
            logs.forwarder.start()
            restart_at = time.monotonic() + restart_every
        time.sleep(max(0.0, every - (time.monotonic() - now)))  # the speed of the rotations
    ledger = logs.finish()
    print(f"{pods} pods, {next(turn)} rounds of {hot} rotations, {logs.pods.written()} lines, {ledger['delivered']} delivered")


def rename(log, _):
    log.rotate()


def rename_and_compress(log, number):
    log.rotate()
    if number % 3 == 0:
        log.gzip(log.rotated()[:-1])  # as kubelet: but the youngest


def truncate(log, _):
    log.copytruncate()


def compressing_or_truncating(log, number):
    """The oldest are removed, as kubelet does, but later: they have been read for seconds."""
    (truncate if int(log.pod.rsplit("-", 1)[1]) % 4 == 0 else rename_and_compress)(log, number)
    for old in sorted(log.directory.glob("0.log.*"))[:-20]:
        old.unlink()


WAYS = {"renamed": rename, "renamed and compressed": rename_and_compress, "copied and truncated": truncate}


@pytest.mark.parametrize("rotate", WAYS.values(), ids=WAYS)
def test_rotations_every_50_ms(chain, rotate):
    torture(chain, pods=20, hot=5, seconds=4, every=0.05, rotate=rotate, restart_every=1.5)


def test_rotations_of_200_files(chain, long_run):
    """In script/test --all."""
    if not long_run:
        pytest.skip("a long run: script/test --all")
    torture(chain, pods=200, hot=20, seconds=60, every=0.05, rotate=compressing_or_truncating, restart_every=5)


def block(logs):
    """The gateway is away and the ring is full: what the forwarder knows of the files, it has not read."""
    logs.pods.write(10)
    logs.wait()
    logs.gateway.process.kill()
    fill(logs, 400)
    wait_until(lambda: metric(logs.forwarder.metrics(), "ampari_forwarder_log_blocked") == 1, "reading stops", process=logs.forwarder.process)


def unblock(logs):
    logs.gateway.start()
    wait_until(lambda: logs.forwarder.targets()["logs"]["gateway"]["connected"], "the gateway is back", process=logs.forwarder.process)
    logs.wait_for_reading()
    wait_until(lambda: metric(logs.forwarder.metrics(), "ampari_forwarder_log_ring_unacknowledged_bytes") == 0, "the ring is empty")
    wait_for_log_delivery(logs.gateway)


def lost_lines(logs):
    present = {(labels["pod"], ns, labels["stream"], line) for labels, ns, line, _ in all_lines(logs.region)}
    return [line for log in logs.pods.logs for line in log.written if (log.pod, *line) not in present]


def size_of(logs, lines):
    """In the file."""
    record = logs.pods.logs[0]._record
    return sum(len(record(text.encode(), stream, ns, True)) for ns, stream, text in lines)


def assert_counted(logs, lost):
    assert unread(logs.forwarder) == size_of(logs, lost)
    assert_no_log_trouble(logs.region)


def test_what_was_renamed_and_removed_unread_is_read_from_what_is_open(chain):
    logs = LogChain(chain, pods=3, forwarder={"gateway": {"log_ring_bytes": "1MiB"}})
    block(logs)
    for _ in range(3):
        for log in logs.pods.logs:
            log.rotate()
        fill(logs, 30)
        wait_until(lambda: sizes_known(logs), "the forwarder knows what is there", process=logs.forwarder.process)
    for log in logs.pods.logs:
        for rotated in log.rotated():
            rotated.unlink()
    unblock(logs)
    assert not lost_lines(logs)
    assert_counted(logs, [])
    logs.finish()


def test_what_was_truncated_unread_is_counted(chain):
    """To the byte: the lines that are not in the region are those that are counted as unread."""
    logs = LogChain(chain, pods=3, forwarder={"gateway": {"log_ring_bytes": "1MiB"}})
    block(logs)
    wait_until(lambda: sizes_known(logs), "the forwarder knows what is there", process=logs.forwarder.process)
    for log in logs.pods.logs:
        log.file.truncate(0)
    wait_until(lambda: sizes_known(logs), "the forwarder knows that they are empty", process=logs.forwarder.process)
    fill(logs, 10)
    wait_until(lambda: sizes_known(logs), "the forwarder knows what is there again", process=logs.forwarder.process)
    unblock(logs)
    lost = lost_lines(logs)
    print(f"{len(lost)} of {logs.pods.written()} lines, {size_of(logs, lost)} bytes, were gone before they could be read")
    assert lost
    assert_counted(logs, lost)
    for log in logs.pods.logs:
        log.written[:] = [line for line in log.written if line not in lost]
    logs.finish()


def fill(logs, count):
    for log in logs.pods.logs:
        log.write(*(line + incompressible(4000) for line in logs.pods.lines(count)))


def sizes_known(logs):
    told = [file["size"] for file in files(logs.forwarder).values() if not file["gone"]]
    return sum(told) == sum(path.stat().st_size for log in logs.pods.logs for path in log.directory.iterdir())


def test_several_rotations_while_nobody_looks(chain):
    """Everything that is still there is read, compressed or not, the oldest first."""
    logs = LogChain(chain, pods=3)
    logs.pods.write(10)
    logs.wait()
    logs.forwarder.process.stop()
    plain, packed, cut = logs.pods.logs
    for _ in range(4):
        logs.pods.write(10)
        plain.rotate()
        packed.rotate_as_kubelet(max_files=10)
        cut.copytruncate()
    logs.pods.write(10)
    logs.forwarder.start()
    logs.check()
    assert unread(logs.forwarder) == 0
    logs.finish()


def test_a_file_that_was_read_and_then_compressed_is_not_read_again(chain):
    logs = LogChain(chain, pods=2)
    logs.pods.write(20)
    logs.wait()
    for log in logs.pods.logs:
        log.rotate()
        log.write(*logs.pods.lines(5))
        log.gzip()
    logs.wait()
    logs.forwarder.process.kill()
    logs.forwarder.start()
    logs.pods.write(5)
    logs.finish()


def test_a_new_file_with_the_inode_of_an_old_one(chain):
    """The old one is removed while the forwarder is away; the new one, which may have its inode, is another file."""
    logs = LogChain(chain, pods=3)
    logs.pods.write(20)
    logs.wait()
    logs.wait_for_reading()
    logs.forwarder.process.stop()
    for log in logs.pods.logs:
        log.path.unlink()
        log.file.close()
        log._open()
        log.write(*logs.pods.lines(20))
    logs.forwarder.start()
    logs.finish()


def test_an_unfinished_line_is_not_read_before_its_end(chain):
    logs = LogChain(chain)
    (log,) = logs.pods.add()
    log.write(*logs.pods.lines(3))
    logs.wait()
    time_ns, text = log._time(None), "a line whose end comes later"
    record = log._record(text.encode(), "stdout", time_ns, True)
    log.write_raw(record[:-10])
    wait_until(lambda: files(logs.forwarder)[str(log.path)]["lag_bytes"] == len(record) - 10, "its beginning is seen", process=logs.forwarder.process)
    logs.forwarder.process.kill()
    logs.forwarder.start()
    log.write_raw(record[-10:])
    log.written.append((time_ns, "stdout", text))
    logs.finish()
