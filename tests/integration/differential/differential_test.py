"""The scraper's core against a real Prometheus: the same bodies under the same rules give the same samples, the same rejects,
the same synthetic series and the same vanished series.

Run by ctest; needs /usr/bin/prometheus (2.42) and SCRAPE_ORACLE, the path of scrape_oracle.
"""

import collections
import http.server
import json
import os
import re
import shutil
import struct
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest

import bodies as cases_of

PROMETHEUS = shutil.which("prometheus")
ORACLE = os.environ.get("SCRAPE_ORACLE", "")
CASES = 330
LIVE = 5  # scrapes after which the living series are compared
CONTENT_TYPES = {"text": "text/plain; version=0.0.4; charset=utf-8",
                 "om": "application/openmetrics-text; version=1.0.0; charset=utf-8"}
STALE = "7ff0000000000002"
UTF8_SYNTAX = re.compile(rb'\{\s*"|,\s*"|#\s*(HELP|TYPE|UNIT)\s+"|"\s+"')

pytestmark = pytest.mark.skipif(not (PROMETHEUS and ORACLE), reason="needs prometheus and SCRAPE_ORACLE")


class Targets(http.server.ThreadingHTTPServer):
    """Serves case N at /N: its bodies in turn, then the last one; remembers what was served."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, cases):
        super().__init__(("127.0.0.1", 0), Handler)
        self.cases = cases
        self.served = collections.defaultdict(list)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        number = int(self.path.strip("/").split("?")[0])
        sequence = self.server.cases[number][1]
        kind, text = sequence[min(len(self.server.served[number]), len(sequence) - 1)]
        body = with_times(text).encode("utf-8")
        self.server.served[number].append((time.time() * 1000, kind, body))
        try:
            self.send_response(500 if kind == "down" else 200)
            self.send_header("Content-Type", CONTENT_TYPES.get(kind, "text/plain"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except BrokenPipeError:  # it waited for its timeout, on a busy machine
            self.server.served[number][-1] = (time.time() * 1000, "down", b"")

    def log_message(self, *args):
        pass


def with_times(text):
    now = time.time()
    text = re.sub(r"@s(-?[\d.]+)@", lambda m: f"{now + float(m.group(1)):.3f}", text)
    return re.sub(r"@(-?\d+)@", lambda m: str(int(now * 1000) + int(m.group(1))), text)


def config_of(cases, port):
    jobs = []
    for number, (fields, _) in enumerate(cases):
        jobs.append({"job_name": f"c{number}", "metrics_path": f"/{number}", "scrape_interval": "1s", "scrape_timeout": "1s",
                     "static_configs": [{"targets": [f"127.0.0.1:{port}"]}], **fields})
    return {"scrape_configs": jobs}


class Prometheus:
    def __init__(self, folder, config, want):
        (folder / "prometheus.yml").write_text(json.dumps(config))
        self.log = open(folder / "log", "wb")
        self.url = None
        self.process = subprocess.Popen(
            [PROMETHEUS, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             "--web.listen-address=127.0.0.1:0", "--enable-feature=extra-scrape-metrics"],
            stdout=self.log, stderr=self.log)
        self._wait_for_port(folder / "log")
        self._wait_for_scrapes(want)

    def _wait_for_port(self, log):
        """Port 0 lets the system choose; the process's listening socket tells which."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            for port in listening_ports(self.process.pid):
                self.url = f"http://127.0.0.1:{port}/api/v1/"
                try:
                    self.get("status/buildinfo")
                    return
                except OSError:
                    pass
            time.sleep(0.05)  # polls until Prometheus answers
        raise AssertionError(log.read_text())

    def _wait_for_scrapes(self, want):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            result = self.get("query", query="min(count_over_time(up[5m]))", time=str(time.time()))["result"]
            jobs = self.get("query", query="count(up)", time=str(time.time()))["result"]
            if result and float(result[0]["value"][1]) >= want[1] and float(jobs[0]["value"][1]) == want[0]:
                return
            time.sleep(0.2)  # polls until Prometheus has scraped
        raise AssertionError("Prometheus did not scrape every target often enough")

    def get(self, path, **parameters):
        with urllib.request.urlopen(self.url + path + "?" + urllib.parse.urlencode(parameters), timeout=20) as answer:
            return json.load(answer)["data"]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.log.close()


def listening_ports(pid):
    sockets = set()
    try:
        for entry in os.listdir(f"/proc/{pid}/fd"):
            link = os.readlink(f"/proc/{pid}/fd/{entry}")
            if link.startswith("socket:["):
                sockets.add(link[8:-1])
    except OSError:
        return []
    ports = []
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}") as lines:
            for line in list(lines)[1:]:
                fields = line.split()
                if fields[3] == "0A" and fields[9] in sockets:
                    ports.append(int(fields[1].split(":")[1], 16))
    return ports


def key(labels):
    return tuple(sorted(labels.items()))


def bits(text):
    value = float(text)
    return "7ff8000000000001" if value != value else struct.pack(">d", value).hex()


def stored(prometheus, number):
    """{labels: {ms: bits}} of a job, and the times of its scrapes."""
    series = collections.defaultdict(dict)
    result = prometheus.get("query", query=f'{{job="c{number}"}}[3h]', time=str(time.time() + 1000))["result"]
    for entry in result:
        for at, value in entry["values"]:
            series[key(entry["metric"])][round(at * 1000)] = bits(value)
    return series, sorted(series[key({"__name__": "up", "job": f"c{number}", "instance": prometheus.instance})])


def served_at(served, times):
    """What each scrape was answered with: a scrape that never got through counts as down."""
    out = []
    for index, at in enumerate(times):
        end = times[index + 1] if index + 1 < len(times) else at + 900
        answers = [(kind, body) for when, kind, body in served if at <= when < end]
        out.append(answers[0] if len(answers) == 1 else ("down", b""))
    return out


def run_oracle(folder, cases, instance, served, times):
    config = config_of(cases, 1)
    for job in config["scrape_configs"]:
        job["extra_scrape_metrics"] = True
    config["gateway"] = {"address": "127.0.0.1:4750", "insecure": True}
    (folder / "forwarder.yaml").write_text(json.dumps(config))
    with open(folder / "cases", "wb") as out:
        for number in range(len(cases)):
            out.write(f"case c{number}\nlabel job c{number}\nlabel instance {instance}\n".encode())
            for (kind, body), at in zip(served_at(served[number], times[number]), times[number]):
                out.write(f"scrape {at} {kind} {len(body)}\n".encode() + body + b"\n")
    done = subprocess.run([ORACLE, str(folder / "forwarder.yaml"), str(folder / "cases")], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    scrapes = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        scrape = json.loads(line)
        scrapes[scrape["case"]].append(scrape)
    return scrapes


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("differential")
    cases = cases_of.cases(CASES) + [({}, [(kind, body)] * 4) for _, kind, body, _ in cases_of.KNOWN_DIFFERENCES]
    targets = Targets(cases)
    prometheus = Prometheus(folder, config_of(cases, targets.server_port), (len(cases), 4))
    prometheus.instance = f"127.0.0.1:{targets.server_port}"
    try:
        kept = {number: stored(prometheus, number) for number in range(len(cases))}
        times = {number: ups for number, (_, ups) in kept.items()}
        live = {number: [live_series(prometheus, number, at) for at in times[number][:LIVE]] for number in times}
    finally:
        prometheus.stop()
        targets.shutdown()
    ours = run_oracle(folder, cases, prometheus.instance, targets.served, times)
    return cases, kept, times, live, ours, targets.served


def live_series(prometheus, number, at):
    result = prometheus.get("query", query=f'{{job="c{number}"}}', time=f"{at / 1000:.3f}")["result"]
    return {key(entry["metric"]) for entry in result}


def compare(number, run):
    """What differs between Prometheus and us for one case, as text."""
    (series, _), times, live, ours = run[1][number], run[2][number], run[3][number], run[4][f"c{number}"]
    stamped = {key(s["labels"]) for scrape in ours for s in scrape["samples"] if s["ms"] not in times}
    problems, mine, alive, lagging = [], collections.defaultdict(dict), set(), set()
    for index, scrape in enumerate(ours):
        before = set(alive)
        for sample in scrape["samples"]:
            labels = key(sample["labels"])
            if dict(labels).get("job") != f"c{number}":  # honor_labels moved it elsewhere
                continue
            if sample["bits"] == STALE:
                alive.discard(labels)
            else:
                mine[labels][sample["ms"]] = sample["bits"]
                alive.add(labels)
        if index >= LIVE:
            continue
        theirs, here = live[index] - stamped, alive - stamped
        # Prometheus writes no markers for series that it saw before a body turned bad; we do.
        lagging = (theirs - here) & (before | lagging) if scrape["error"] else set()
        if theirs - here - lagging or here - theirs:
            problems.append(f"scrape {index}: alive only there {theirs - here}, only here {here - theirs} ({scrape['error']})")
    for labels in series.keys() | mine.keys():
        there, here = series.get(labels, {}), mine.get(labels, {})
        if there != here and dict(labels)["__name__"] != "scrape_duration_seconds":
            problems.append(f"{labels}: there {there}, here {here}")
    return problems


def uses_newer_syntax(number, run):
    return any(UTF8_SYNTAX.search(body) for _, _, body in run[5][number])


def test_same_samples(run):
    cases = run[0]
    differing, newer = {}, 0
    for number in range(len(cases) - len(cases_of.KNOWN_DIFFERENCES)):
        problems = compare(number, run)
        if problems and uses_newer_syntax(number, run):
            newer += 1
        elif problems:
            differing[number] = problems
    shown = "\n".join(f"case {number}: {cases[number]}\n\n  " + "\n  ".join(problems)
                      for number, problems in list(differing.items())[:5])
    assert not differing, f"{len(differing)} of {len(cases)} differ:\n{shown}"
    assert newer < len(cases) / 20, "the generator should rarely make what only Prometheus 3 reads"


def test_the_cases_are_worth_it(run):
    ours = run[4]
    scrapes = [scrape for case in ours.values() for scrape in case]
    failed = sum(1 for scrape in scrapes if scrape["error"])
    samples = sum(len(scrape["samples"]) for scrape in scrapes)
    # Not by scrape: on a busy machine targets are scraped more often, and then empty.
    assert len(scrapes) >= 4 * CASES and failed > CASES / 2 and samples > 40 * CASES


@pytest.mark.parametrize("index", range(len(cases_of.KNOWN_DIFFERENCES)))
def test_known_differences(run, index):
    """Prometheus 2.42 does otherwise, and we do as Prometheus 3."""
    why, _, _, labels = cases_of.KNOWN_DIFFERENCES[index]
    number = len(run[0]) - len(cases_of.KNOWN_DIFFERENCES) + index
    assert compare(number, run), f"no difference any more: {why}"
    if labels is None:
        assert run[4][f"c{number}"][0]["error"] == "", why
        return
    got = [sample["labels"] for sample in run[4][f"c{number}"][0]["samples"]]
    got = [{k: v for k, v in sample.items() if k not in ("job", "instance")} for sample in got]
    assert labels in got, why
