"""Regions that are away, slow, full or particular: what lines become, and who waits for whom."""

import os
import statistics
import subprocess
import time

import pytest
from logs import (TENANT, LogChain, Writing, all_lines, assert_ledger, assert_no_log_trouble, assert_whole, incompressible, log_ledger, loki, wait_for_lines,
                  wait_for_log_delivery)
from memory_bound import MemoryBound
from support import assert_exact, balanced, complete_until, destination, scrapes, wait_for_scrapes

from stack.process import wait_until
from stack.programs import ISTIO_RULES, metric


@pytest.mark.parametrize("trouble", [
    pytest.param({"mode": "down"}, id="connection closed"),
    pytest.param({"mode": "status", "status": 500}, id="500"),
    pytest.param({"mode": "status", "status": 429, "retry_after": 1}, id="429 with Retry-After"),
    pytest.param({"mode": "status", "status": 403}, id="403 then mended"),
    pytest.param({"mode": "commit_then_close", "times": 5}, id="stored and the answer cut"),
    pytest.param({"mode": "ok", "max_bytes": 3000}, id="413"),
])
def test_region_in_trouble(chain, trouble):
    logs = LogChain(chain, pods=5)
    logs.pods.write(10)
    logs.wait()
    logs.region.control(signal="logs", **trouble)
    for _ in range(3):
        logs.pods.write(100)
        time.sleep(0.3)  # frames of their own
    logs.wait_for_reading()
    logs.wait_until_stored()
    if trouble["mode"] != "commit_then_close" and "max_bytes" not in trouble:
        assert log_ledger(logs.gateway)["pending"] > 0
        logs.region.control(signal="logs", mode="ok")
    logs.finish()


def test_a_refused_line_is_set_apart_from_the_good_ones(chain):
    logs = LogChain(chain, pods=4)
    logs.region.control(signal="logs", reject_line="poison")
    for number in range(10):
        logs.pods.write(10)
        logs.pods.logs[0].write(f"poison {number}")
    good = [line for log in logs.pods.logs for line in log.written if "poison" not in line[2]]
    logs.wait(lines=len(good))
    logs.wait_until_stored()
    wait_for_log_delivery(logs.gateway)
    ledger = log_ledger(logs.gateway)
    assert balanced(ledger) and ledger["accepted"] == logs.pods.written(), ledger
    assert ledger["delivered"] == len(good) and sum(ledger["rejected"].values()) + ledger["uncertain"] == 10, ledger
    assert "poison" in str(logs.gateway.json("/api/v1/dead_letters"))
    logs.pods.logs[0].written[:] = [line for line in logs.pods.logs[0].written if "poison" not in line[2]]
    assert logs.forwarder.process.stop() == 0
    assert_whole(logs.region, logs.pods.logs)


def test_blocked_by_260(chain):
    """The region says that it takes the request and drops it: that is not delivered."""
    logs = LogChain(chain, pods=2)
    logs.region.control(signal="logs", mode="status", status=260)
    logs.pods.write(20)
    wait_until(lambda: sum(log_ledger(logs.gateway)["rejected"].values()) == 40, "all are rejected", process=logs.gateway.process)
    ledger = log_ledger(logs.gateway)
    assert balanced(ledger) and ledger["rejected"] == {"blocked": 40} and ledger["delivered"] == 0, ledger
    logs.region.control(signal="logs", mode="ok")
    for log in logs.pods.logs:
        log.written.clear()
    logs.pods.write(20)
    logs.finish()


def test_one_tenant_held_does_not_delay_the_other(chain):
    region = chain.region()
    tenants = [{"id": name, "forwarders": [{"name": name, "token": f"token-{name}", "labels": {"cluster": name}}],
                "loki_write": [loki(region, tenant=name)]} for name in ("alpha", "beta")]
    gateway = {"loki_write": None, "tenants": tenants}
    region.control(tenant="beta", mode="status", status=403)
    logs = LogChain(chain, pods=3, region=region, gateway=gateway, forwarder={"gateway": {"token": "token-alpha"}})
    logs.start_forwarder("beta", gateway={"token": "token-beta"})
    for _ in range(3):
        logs.pods.write(20)
        wait_for_lines(region, logs.pods.written(), tenant="alpha")
    wait_until(lambda: log_ledger(logs.gateway, "beta")["pending"] == logs.pods.written(), "beta is held", process=logs.gateway.process)
    assert not region.logs("beta").get("lines")
    region.control(tenant="beta", mode="ok")
    wait_for_lines(region, logs.pods.written(), tenant="beta")
    for tenant in ("alpha", "beta"):
        assert_whole(region, logs.pods.logs, tenant)
        assert {labels["cluster"] for labels, *_ in all_lines(region, tenant)} == {tenant}
        wait_for_log_delivery(logs.gateway, tenant=tenant)
        assert balanced(log_ledger(logs.gateway, tenant))


def test_files_are_the_overflow(chain):
    """The gateway is away for far more than the ring holds: nothing is lost as long as the files are there."""
    logs = LogChain(chain, pods=5, forwarder={"gateway": {"log_ring_bytes": "1MiB"}})
    logs.pods.write(10)
    logs.wait()
    logs.gateway.process.kill()
    for number in range(20):
        for log in logs.pods.logs:
            log.write(*(line + incompressible(1000) for line in logs.pods.lines(100)))
            if number % 5 == 4:
                log.rotate()
    wait_until(lambda: metric(logs.forwarder.metrics(), "ampari_forwarder_log_blocked") == 1, "reading stops", process=logs.forwarder.process)
    logs.gateway.start()
    logs.finish()


def test_an_outage_of_ten_times_the_memory(chain, long_run):
    """In script/test --all: a backlog of ten times what the gateway may use, by the kernel where it can be had."""
    bound = 192 << 20
    if not long_run:
        pytest.skip("a long run: script/test --all")
    group = chain.own(MemoryBound(f"ampari-logs-{os.getpid()}", bound))
    logs = LogChain(chain, pods=5, gateway={"storage": {"max_bytes": "8GiB"}})
    logs.gateway.process.kill()
    logs.gateway.process.start()
    group.hold(logs.gateway.process)
    logs.gateway.ready()
    logs.region.control(mode="down", signal="logs")
    size, text = 0, incompressible(60_000)
    while size < 10 * bound:
        for log in logs.pods.logs:
            log.write(*(f"{line} {text[n:n + 50_000]}" for n, line in enumerate(logs.pods.lines(10))))
            size += 500_000
            if log.path.stat().st_size > 64 << 20:
                log.rotate()
        if logs.pods.numbers % 1000 == 0:
            logs.wait_for_reading()
    wait_until(lambda: log_ledger(logs.gateway)["pending"] == logs.pods.written(), "all is stored", 900, logs.gateway.process)
    logs.region.control(mode="ok", signal="logs")
    logs.wait(seconds=900)
    assert logs.forwarder.process.stop() == 0, logs.forwarder.process.tail()
    wait_for_log_delivery(logs.gateway, 300)
    assert_no_log_trouble(logs.region)
    assert assert_ledger(logs.gateway, logs.region)["delivered"] == logs.pods.written(), "each once: all are different"
    resident = logs.gateway.process.memory_bytes("VmHWM")
    print(f"{size >> 20} MiB waited; resident at most {resident >> 20} MiB of {bound >> 20} MiB{'' if group.enforced else ' (not enforced here)'}")


class SmallDisk:
    """A file system of its own that can grow."""

    def __init__(self, directory, megabytes):
        self.directory = directory
        directory.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "ampari-test", directory], capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"no file system to fill: {done.stderr.strip()}")

    def grow(self, megabytes):
        subprocess.run(["mount", "-o", f"remount,size={megabytes}m", self.directory], check=True)

    def free(self):
        answer = subprocess.run(["df", "--output=avail", "-B1", self.directory], capture_output=True, text=True, check=True)
        return int(answer.stdout.split()[1])

    def stop(self, _=None):
        subprocess.run(["umount", "-l", self.directory])


def test_a_full_disk_at_the_gateway(chain):
    disk = chain.own(SmallDisk(chain.directory / "small", 176))  # most of it is the reserve
    logs = LogChain(chain, pods=5, gateway={"storage": {"directory": str(disk.directory / "data")}}, forwarder={"gateway": {"log_ring_bytes": "1MiB"}})
    logs.pods.write(10)
    logs.wait()
    logs.region.control(mode="down", signal="logs")

    def full():
        if logs.gateway.json("/api/v1/queue")["paused"]:
            return True
        for log in logs.pods.logs:
            log.write(*(line + incompressible(3000) for line in logs.pods.lines(100)))
        return False
    wait_until(full, "the gateway takes no more", process=logs.gateway.process)
    logs.pods.write(10)
    for log in logs.pods.logs:
        log.write(*(line + incompressible(3000) for line in logs.pods.lines(200)))
    wait_until(lambda: all(metric(logs.forwarder.metrics(), f"ampari_forwarder_log_{name}") == 1 for name in ("blocked", "gateway_paused")),
               "reading stops", process=logs.forwarder.process)
    ledger = log_ledger(logs.gateway)
    assert 0 < ledger["accepted"] < logs.pods.written() and balanced(ledger), ledger
    disk.grow(600)
    logs.region.control(mode="ok", signal="logs")
    logs.finish()


# --- metrics and logs of one node

class Node:
    """A mesh and pods of one forwarder."""

    def __init__(self, chain, interval="1s", jobs=()):
        """`jobs`: of metrics, beside the mesh's own."""
        self.mesh = chain.mesh()
        self.metrics_region = chain.region(name="metrics")
        self.logs = LogChain(chain, pods=3, gateway={"remote_write": [destination(self.metrics_region)]}, forwarder={
            "scrape_configs": [*mesh_job(self.mesh), *jobs], "global": {"scrape_interval": interval, "scrape_timeout": interval}})
        self.gateway, self.forwarder = self.logs.gateway, self.logs.forwarder
        wait_for_scrapes(self.forwarder, 1)

    def metrics_ledger(self):
        return self.gateway.ledgers()["", "region"]

    def finish(self):
        """Every line and every scrape, exactly."""
        self.logs.wait()
        stopped = complete_until(self.forwarder)
        self.logs.finish()
        wait_until(lambda: self.metrics_ledger()["pending"] == 0, "every sample is delivered", process=self.gateway.process)
        assert_exact(self.mesh, self.metrics_region, stopped)


def mesh_job(mesh):
    return [scrape_job("kubernetes-pods", mesh.targets)]


def scrape_job(name, targets):
    return {"job_name": name, "honor_labels": True, "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "1s"}], "relabel_configs": ISTIO_RULES}


def test_metrics_flow_while_logs_are_held(chain):
    node = Node(chain)
    node.logs.region.control(mode="status", status=403, signal="logs")
    node.logs.pods.write(50)
    wait_until(lambda: log_ledger(node.gateway)["pending"] == node.logs.pods.written(), "logs are held", process=node.gateway.process)
    before = node.metrics_ledger()["accepted"]
    wait_for_scrapes(node.forwarder, scrapes(node.forwarder) + 3)
    wait_until(lambda: node.metrics_ledger()["delivered"] > before, "metrics are delivered", process=node.gateway.process)
    node.logs.region.control(mode="ok", signal="logs")
    node.finish()


def test_logs_flow_while_metrics_wait(chain):
    node = Node(chain)
    node.metrics_region.control(mode="down")
    wait_until(lambda: node.metrics_ledger()["pending"] > 0, "metrics wait", process=node.gateway.process)
    for _ in range(3):
        node.logs.pods.write(50)
        node.logs.wait()
    assert node.metrics_ledger()["pending"] > 0
    node.metrics_region.control(mode="ok")
    node.finish()


def test_logs_do_not_delay_metrics(chain, long_run):
    """In script/test --all: five alternating pairs, with and without the other signal; the median difference of the 99th percentiles of
    the time from a page to the region is less than a flush and a commit."""
    if not long_run:
        pytest.skip("a long run: script/test --all")
    node = Node(chain)
    wait_until(node.metrics_region.samples, "metrics arrive", process=node.gateway.process)
    differences_ms = []
    for _ in range(5):
        alone = delays(node, 8)
        load = chain.own(Writing(node.logs.pods, lines=200, every=0.05))
        beside = delays(node, 8)
        load.stop()
        node.logs.wait()
        differences_ms.append(beside - alone)
    told = statistics.median(differences_ms)
    print(f"p99 of metrics beside logs less alone: {[round(d) for d in differences_ms]} ms")
    assert told < 1000 + 100, "one flush and one fsync"
    node.finish()


def delays(node, seconds):
    """The 99th percentile (ms) of the age of the newest scrape in the region, looked at again and again."""
    ages, deadline = [], time.monotonic() + seconds
    while time.monotonic() < deadline:
        newest = max(ms for series in node.metrics_region.samples().values() for ms, _ in series)
        ages.append(time.time() * 1000 - newest)
        time.sleep(0.05)  # the age is a sawtooth, sampled
    return statistics.quantiles(ages, n=100)[-1]


def test_metrics_do_not_delay_logs(chain, long_run):
    """In script/test --all: the same of the time from a line's being written to the region's having it, beside 100 sidecars each second."""
    if not long_run:
        pytest.skip("a long run: script/test --all")
    load = MetricsLoad(chain, sidecars=100)
    node = Node(chain, jobs=[scrape_job("load", load.targets)])
    pairs_ms = []
    for _ in range(5):
        load.stop(node)
        alone = line_delays(node, 8)
        load.start(node)
        before, since = node.metrics_ledger()["accepted"], time.monotonic()
        beside = line_delays(node, 8)
        rate = (node.metrics_ledger()["accepted"] - before) / (time.monotonic() - since)
        pairs_ms.append((alone, beside, rate))
    told = statistics.median(beside - alone for alone, beside, _ in pairs_ms)
    for alone, beside, rate in pairs_ms:
        print(f"p99 of lines {alone:.0f} ms alone, {beside:.0f} ms beside {rate:.0f} samples/s")
    print(f"median of the differences: {told:.0f} ms")
    assert min(rate for *_, rate in pairs_ms) > 20_000, "the load is one"
    assert told < 1000 + 100, "one flush and one fsync"
    load.stop(node)
    node.finish()


class MetricsLoad:
    """Many sidecars, found by the forwarder only while the load is on."""

    def __init__(self, chain, sidecars):
        self.mesh = chain.mesh(name="load", sidecars=sidecars, seed=2)
        self.targets = chain.directory / "load-now.json"
        self._tell("[]")

    def _tell(self, targets):
        written = self.targets.with_suffix(".new")
        written.write_text(targets)
        os.replace(written, self.targets)

    def _found(self, node):
        return [target for target in node.forwarder.targets()["targets"] if target["job"] == "load"]

    def start(self, node):
        self._tell(self.mesh.targets.read_text())
        wait_until(lambda: self._found(node) and min(t["scrapes"] for t in self._found(node)) > 1, "the load is on", process=node.forwarder.process)

    def stop(self, node):
        self._tell("[]")
        wait_until(lambda: not self._found(node), "the load is off", process=node.forwarder.process)
        wait_until(lambda: node.metrics_ledger()["pending"] < 10_000, "what it left is delivered", process=node.gateway.process)


def line_delays(node, seconds):
    """The 99th percentile (ms) of the time from a line's being written, one at a time to one pod, to its being counted by the region."""
    node.logs.wait()
    first, written, taken = node.logs.pods.written(), [], []
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(taken) < len(written):
        if time.monotonic() < end:
            node.logs.pods.write(1, node.logs.pods.logs[:1])
            written.append(time.monotonic())
        there = node.logs.region.logs(TENANT).get("lines", 0) - first
        now = time.monotonic()
        taken += [now - at for at in written[len(taken):there]]
        assert now < end + 60, f"{len(written) - len(taken)} lines do not arrive"
        time.sleep(0.03)  # the rate of the lines, some 30 a second
    return statistics.quantiles(taken, n=100)[-1] * 1000
