"""What the tests of logs ask of the chain: containers that write, and every line of theirs in the region exactly once."""

import os
import threading
from collections import Counter

from support import balanced

from stack.pod_logs import PodLog, access_line, targets_json
from stack.process import PATIENCE, wait_until

TENANT = "logs"


def loki(region, tenant=TENANT, name="region-logs", **settings):
    """A loki_write entry that delivers quickly and tells the region which frames a request holds."""
    return {"name": name, "url": region.logs_url, "headers": {"X-Scope-OrgID": tenant}, "send_frame_header": True, "batch_wait": "100ms",
            "min_backoff_period": "50ms", "max_backoff_period": "500ms", **settings}


def log_rules(root):
    """The rules of the region's documentation for Alloy, with the pods' logs beneath `root`."""
    return [{"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
            {"source_labels": ["__meta_kubernetes_pod_container_name"], "target_label": "container"},
            {"target_label": "job", "replacement": "integrations/istio"},
            {"source_labels": ["__meta_kubernetes_pod_uid", "__meta_kubernetes_pod_container_name"], "separator": "/",
             "target_label": "__path__", "replacement": f"{root}/*$1/*.log"}]


class Pods:
    """The pods of a node: containers, what they wrote, and the file that discovery finds them by."""

    def __init__(self, directory, name="pods"):
        self.root = directory / name
        self.root.mkdir(exist_ok=True)
        self.targets = directory / f"{name}-targets.json"
        self.logs = []
        self.numbers = 0
        targets_json(self.targets, [])

    def add(self, count=1, container="istio-proxy", runtime="containerd", namespace="default"):
        """New pods with a container each; told to discovery by tell()."""
        first = len(self.logs)
        added = [PodLog(self.root, namespace, f"app-{n}", f"00000000-0000-4000-8000-{n:012d}", container, runtime)
                 for n in range(first, first + count)]
        self.logs += added
        self.tell()
        return added

    def tell(self):
        targets_json(self.targets, self.logs)

    def lines(self, count, code=200):
        """Access lines with the next numbers."""
        self.numbers += count
        return [access_line(n, code=code) for n in range(self.numbers - count, self.numbers)]

    def write(self, count=1, logs=None):
        """`count` lines into each."""
        for log in self.logs if logs is None else logs:
            log.write(*self.lines(count))

    def written(self):
        return sum(len(log.written) for log in self.logs)

    def job(self, **settings):
        return {"job_name": "integrations/istio", "file_sd_configs": [{"files": [str(self.targets)], "refresh_interval": "1s"}],
                "relabel_configs": log_rules(self.root), **settings}


def incompressible(size):
    """Text that stays half as large at the least."""
    return os.urandom(size // 2).hex()


class Writing:
    """A thread that writes to all the pods until it is stopped; `each(log)` after each round of a pod's lines."""

    def __init__(self, pods, lines=5, every=0.02, each=lambda log: None):
        self.pods, self.stopping = pods, threading.Event()
        self.thread = threading.Thread(target=self._run, args=(lines, every, each), daemon=True)
        self.thread.start()

    def _run(self, lines, every, each):
        while not self.stopping.wait(every):
            for log in self.pods.logs:
                log.write(*self.pods.lines(lines))
                each(log)

    def stop(self, _=None):
        self.stopping.set()
        self.thread.join()


class LogChain:
    """Region, gateway and a forwarder that follows the pods."""

    def __init__(self, chain, pods=0, start="beginning", region=None, gateway=None, forwarder=None, address=None, **job):
        """`gateway`, `forwarder`: sections of their configuration; `job`: settings of the log job."""
        self.chain = chain
        self.pods = Pods(chain.directory)
        self.pods.add(pods)
        self.region = region or chain.region()
        sections = {"loki_write": [loki(self.region)], **(gateway or {})}
        self.gateway = chain.gateway([], **{name: section for name, section in sections.items() if section is not None})
        self.job = self.pods.job(start=start, **job)
        self.options = forwarder or {}
        self.forwarder = self.start_forwarder(address=address(self.gateway) if address else None)

    def start_forwarder(self, name="forwarder", address=None, **options):
        return self.chain.forwarder(address or self.gateway.address, [], name=name, **{"log_configs": [self.job], **self.options, **options})

    def wait(self, lines=None, seconds=PATIENCE):
        """Until every line (or so many) is in the region."""
        wait_for_lines(self.region, self.pods.written() if lines is None else lines, seconds, self.forwarder.process)

    def wait_for_reading(self):
        """Until everything that is in the containers' files was pushed. That nothing is behind is not enough: what was just written may
        not have been seen yet."""
        def done():
            found = files(self.forwarder)
            known = all(found.get(str(log.path), {}).get("size") == log.path.stat().st_size for log in self.pods.logs)
            return known and all(file["lag_bytes"] == 0 for file in found.values())
        wait_until(done, "no file is behind", process=self.forwarder.process)

    def wait_until_stored(self):
        """Until the gateway has every line, whatever it may do with it."""
        wait_until(lambda: log_ledger(self.gateway)["accepted"] == self.pods.written(), "all is stored", process=self.gateway.process)

    def check(self):
        """Waits for the last line and looks at everything; the ledger."""
        self.wait()
        wait_for_log_delivery(self.gateway)
        assert_whole(self.region, self.pods.logs)
        return assert_ledger(self.gateway, self.region)

    def finish(self):
        """The same after the forwarder has ended, which adds nothing."""
        self.wait()
        assert self.forwarder.process.stop() == 0, self.forwarder.process.tail()
        return self.check()


def wait_for_lines(region, count, seconds=PATIENCE, process=None, tenant=TENANT):
    seen = [0]

    def there():
        seen[0] = region.logs(tenant).get("lines", 0)
        return seen[0] >= count
    try:
        wait_until(there, f"{count} lines in the region", seconds, process)
    except AssertionError as late:
        raise AssertionError(f"{late}\n{seen[0]} of {count} lines are there") from None


def log_ledger(gateway, tenant="", destination="region-logs"):
    return gateway.ledgers()[tenant, destination]


def wait_for_log_delivery(gateway, seconds=PATIENCE, **which):
    wait_until(lambda: log_ledger(gateway, **which)["pending"] == 0, "every line is delivered or settled otherwise", seconds, gateway.process)


def expected(logs):
    """{(pod, container, stream): [(time_ns, text)]}, what the containers wrote."""
    wanted = {}
    for log in logs:
        for time_ns, stream, text in log.written:
            wanted.setdefault((log.pod, log.container, stream), []).append((time_ns, text))
    return wanted


def arrived(lines):
    """The same of region.lines()."""
    found = {}
    for labels, time_ns, line, _ in lines:
        found.setdefault((labels["pod"], labels["container"], labels["stream"]), []).append((time_ns, line))
    return found


def differences(wanted, found, most=5):
    """Per container and stream what is missing, there too often, or not known, in words."""
    told = []
    for key in sorted(wanted.keys() | found.keys()):
        want, have = Counter(wanted.get(key, [])), Counter(found.get(key, []))
        for word, those in (("missing", want - have), ("too many", have - want)):
            if those:
                order = {line: number for number, line in enumerate(wanted.get(key, []))}
                examples = sorted((order.get(line, -1), line[0], line[1][:60]) for line in those)[:most]
                told.append(f"{key}: {sum(those.values())} {word} of {sum(want.values())}, such as {examples}")
    return told


def all_lines(region, tenant=TENANT):
    return region.lines(tenant, limit=10_000_000)


def assert_whole(region, logs, tenant=TENANT):
    """Every line that was written is in the region once, with its time, in the order of its stream; none is doubled."""
    lines = all_lines(region, tenant)
    told = differences(expected(logs), arrived(lines))
    assert not told, "\n".join(told)
    assert_in_order(lines)
    assert_no_log_trouble(region, tenant)


def assert_in_order(lines):
    """In every stream the times go on."""
    last = {}
    for labels, time_ns, line, _ in lines:
        stream = tuple(sorted(labels.items()))
        assert last.get(stream, 0) <= time_ns, f"{labels}: behind one {(last[stream] - time_ns) / 1e9} s younger comes {line[:150]}"
        last[stream] = time_ns


def assert_no_log_trouble(region, tenant=TENANT):
    """No malformed request; no line twice out of two frames."""
    report = region.report()
    assert not report["malformed"], report
    counts = region.logs(tenant)
    assert (counts["doubles"], counts["out_of_order"]) == (0, 0), counts


def assert_ledger(gateway, region, tenant=TENANT, **which):
    """The ledger of logs is balanced, and agrees with the region."""
    ledger, there = log_ledger(gateway, **which), region.logs(tenant)
    assert balanced(ledger) and ledger["delivered"] == there["lines"], (ledger, there)
    return ledger


def files(forwarder):
    """What /targets says of files, by path; where one is gone and another has its path, of the other."""
    told = forwarder.targets()["logs"]["files"]
    return {file["path"]: file for file in sorted(told, key=lambda file: not file["gone"])}
