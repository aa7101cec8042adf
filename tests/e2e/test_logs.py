"""From a container's file to the region: every line once, in order, with its time, whoever restarts meanwhile."""

import pytest
from logs import LogChain, all_lines, arrived, assert_no_log_trouble, differences, expected, files

from stack.process import wait_until

RUNTIMES = ("containerd", "crio", "docker")


def test_from_file_to_region(chain):
    logs = LogChain(chain)
    for runtime in RUNTIMES:
        logs.pods.add(2, runtime=runtime)
    logs.pods.add(container="application")
    for log in logs.pods.logs:
        log.write(*logs.pods.lines(20))
        log.write("2024-10-02T18:28:15.365329Z\tinfo\tsds\tSDS server", *logs.pods.lines(1))
        log.write("2024-10-02T18:28:15.365329Z\twarning\tenvoy config external/x.cc:1\tclosed\tthread=22", stream="stderr")
    logs.finish()
    streams = {(labels["log_type"], labels["stream"]) for labels, *_ in all_lines(logs.region)}
    assert streams == {("access", "stdout"), ("agent", "stdout"), ("envoy", "stderr")}
    labels = {frozenset(labels) for labels, *_ in all_lines(logs.region)}
    assert labels == {frozenset(("namespace", "pod", "container", "job", "log_type", "stream"))}


def test_parts_of_long_lines_are_joined(chain):
    logs = LogChain(chain)
    for runtime in RUNTIMES:
        (log,) = logs.pods.add(runtime=runtime)
        log.write("a" * 40_000, "short", "b" * 16_384)
        log.write_part("begun ")
        log.write("of the other output", stream="stderr")
        log.write_part("of the other output, in ", stream="stderr")
        log.write("and ended")
        log.write("two parts", stream="stderr")
        log.written[-2:] = [(log.written[-2][0], "stdout", "begun and ended"), (log.written[-1][0], "stderr", "of the other output, in two parts")]
    logs.finish()


def test_a_part_that_nobody_ends_is_a_line(chain):
    logs = LogChain(chain)
    (log,) = logs.pods.add(runtime="containerd")
    log.write("before")
    log.write_part("the container was killed here")
    log.written.append((log._last_ns, "stdout", "the container was killed here"))
    log.restart()
    log.write("after")
    logs.finish()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_forwarder_goes_on_where_it_was(chain, end):
    logs = LogChain(chain, pods=5)
    for _ in range(3):
        logs.pods.write(50)
        logs.wait()
        getattr(logs.forwarder.process, end)()
        logs.pods.write(50)
        logs.forwarder.start()
    logs.finish()
    assert logs.region.logs("logs")["resends"] == 0, "a position, not a resend, is where it goes on from"


def test_the_gateway_goes_on_where_it_was(chain):
    logs = LogChain(chain, pods=5)
    for end in ("stop", "kill", "kill"):
        logs.pods.write(50)
        getattr(logs.gateway.process, end)()
        logs.pods.write(50)
        logs.gateway.start()
        logs.pods.write(50)
    logs.finish()


def test_pods_that_come_and_go(chain):
    logs = LogChain(chain, pods=2)
    logs.pods.write(10)
    for _ in range(3):
        (log,) = logs.pods.add()
        log.write(*logs.pods.lines(10))
        log.restart()
        log.write(*logs.pods.lines(10))
        logs.wait()
        log.delete()
    wait_until(lambda: len([f for f in files(logs.forwarder).values() if not f["gone"]]) == 2, "only what is there is followed",
               process=logs.forwarder.process)
    logs.finish()


def test_what_targets_say_of_files(chain):
    logs = LogChain(chain, pods=3)
    logs.pods.write(10)
    logs.wait()
    logs.wait_for_reading()
    found = files(logs.forwarder)
    assert set(found) == {str(log.path) for log in logs.pods.logs}
    for log in logs.pods.logs:
        file = found[str(log.path)]
        size = log.path.stat().st_size
        assert (file["size"], file["read"]["out"], file["lines"], file["rotated_unread_bytes"]) == (size, size, 10, 0), file
        assert not file["error"] and file["job"] == "integrations/istio"
    logs.finish()


def test_lines_of_both_outputs_keep_their_own_position(chain):
    """What waits in one output's parts does not hold the lines of the other, and nothing is doubled after a restart."""
    logs = LogChain(chain)
    (log,) = logs.pods.add()
    log.write("one", "two")
    log.write_part("out begins ")
    log.write("err one", "err two", stream="stderr")
    logs.wait()
    logs.forwarder.process.kill()
    logs.forwarder.start()
    log.write("err three", stream="stderr")
    log.write("and ends")
    log.written[-1] = (log.written[-1][0], "stdout", "out begins and ends")
    logs.finish()
    assert len(expected([log])[log.pod, log.container, "stdout"]) == 3


def test_the_same_pods_in_two_jobs_of_two_forwarders(chain):
    """Two nodes' forwarders of one gateway have positions of their own."""
    logs = LogChain(chain, pods=2)
    other = logs.start_forwarder("second", log_configs=[{**logs.job, "relabel_configs": [
        *logs.job["relabel_configs"], {"target_label": "pod", "source_labels": ["pod"], "replacement": "$1-again"}]}])
    logs.pods.write(30)
    logs.wait(lines=120)
    assert other.process.stop() == 0
    assert logs.forwarder.process.stop() == 0
    lines = all_lines(logs.region)
    assert len(lines) == 120 and sum(labels["pod"].endswith("-again") for labels, *_ in lines) == 60
    again = [({**labels, "pod": labels["pod"].removesuffix("-again")}, *rest) for labels, *rest in lines if labels["pod"].endswith("-again")]
    assert not differences(expected(logs.pods.logs), arrived(again))
    assert_no_log_trouble(logs.region)
