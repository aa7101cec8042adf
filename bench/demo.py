"""The main job before the reader's eyes: metrics and access logs of a mesh, a forwarder, a gateway and a region; an outage, a kill, and the proof.

Run by script/demo. `--keep` leaves everything running and prints the addresses.
"""

import argparse
import pathlib
import shutil
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from demo_logs import SIMULATED, TENANT, AccessLogs  # noqa: E402
from stack import envoy  # noqa: E402
from stack.process import wait_until  # noqa: E402
from stack.programs import BUILD, Forwarder, Gateway, Mesh, Prometheus  # noqa: E402

METRICS = "region"  # the destinations' names; that of logs is in demo_logs.py
WINDOW = "30s"
QUERIES = (
    ("requests per second", f"sum(rate(istio_requests_total[{WINDOW}]))", "{:,.1f}"),
    ("p50 latency, ms", f"histogram_quantile(0.5, sum by (le) (rate(istio_request_duration_milliseconds_bucket[{WINDOW}])))", "{:,.1f}"),
    ("p99 latency, ms", f"histogram_quantile(0.99, sum by (le) (rate(istio_request_duration_milliseconds_bucket[{WINDOW}])))", "{:,.1f}"),
    ("share of 5xx", f'sum(rate(istio_requests_total{{response_code=~"5.."}}[{WINDOW}])) / sum(rate(istio_requests_total[{WINDOW}]))', "{:.2%}"),
    ("control-plane pushes", f"sum(increase(pilot_xds_pushes[{WINDOW}]))", "{:,.0f}"),
    ("targets up", "sum(up)", "{:,.0f}"),
)


def say(text):
    print(f"\n\033[1m== {text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def tell(text):
    print(f"   {text}", flush=True)


class Traffic:
    """Real requests through the Envoys, without pause, until stopped."""

    def __init__(self, mesh):
        self.mesh, self.running = mesh, True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while self.running:
            self.mesh.send(30)
            time.sleep(0.1)

    def stop(self):
        self.running = False
        self.thread.join()


def show_queries(region):
    for name, expression, form in QUERIES:
        value = region.number(expression)
        tell(f"{name:22} {'no data yet' if value is None or value != value else form.format(value)}")


def show_rates(logs):
    rates = logs.rates()
    tell("access lines per second by response code: " + ", ".join(f"{code} {rate:,.1f}" for code, rate in rates.items() if rate > 0))


def show_backlog(gateway):
    for (_, name), ledger in gateway.ledgers().items():
        drain = ledger.get("drain_seconds")
        estimate = f"would drain in {drain:.0f} s once the region answers" if drain else "no estimate yet"
        unit = "samples" if name == METRICS else "lines"
        tell(f"backlog {ledger['pending']:>9,} {unit:7}  {ledger['pending_bytes']:>9,} bytes, oldest {ledger['oldest_pending_seconds']:.0f} s; {estimate}")


def show_ledger(name, ledger):
    tell(name + ": accepted {accepted:,} = delivered {delivered:,} + pending {pending:,} + rejected {r:,} + expired {e:,} + dropped {dropped:,}"
         " + lost {lost:,} + uncertain {uncertain:,}".format(r=sum(ledger["rejected"].values()), e=sum(ledger["expired"].values()),
                                                             **{k: v for k, v in ledger.items() if k not in ("rejected", "expired")}))


def compare_envoys(envoys, region, logs):
    """The requests sent through the Envoys against the counters and the access lines in the region."""
    wrong = 0
    for (service, status), sent in sorted(envoys.sent.items()):
        held = region.number(f'sum(max_over_time(istio_requests_total{{destination_app="{service}",response_code="{status}",source_workload="loadgen"}}[10m]))')
        lines = logs.lines_of(service, status)
        same = held is not None and int(held) == sent == lines
        wrong += not same
        tell(f"{service:12} {status}: {sent:>6,} sent, counters {'none' if held is None else f'{int(held):,}':>6}, access lines {lines:>6,}{'' if same else '   DIFFERENT'}")
    return wrong


def outage(region, logs, gateway, forwarder, seconds):
    say(f"The region goes away for {seconds} s; scraping and tailing go on and everything is kept on the gateway's disk")
    region.process.stop()
    logs.region.control(mode="down")
    for _ in range(2):
        time.sleep(seconds / 4)
        show_backlog(gateway)
    say("The gateway is killed with SIGKILL inside the outage")
    gateway.process.kill()
    time.sleep(seconds / 4)
    begin = time.monotonic()
    gateway.start()
    tell(f"started again: ready after {time.monotonic() - begin:.2f} s; what it had acknowledged is on disk, the rest comes from the forwarder's ring")
    time.sleep(seconds / 4)
    show_backlog(gateway)
    say("The region comes back")
    region.start()
    logs.region.control(mode="ok")


def settle(gateway, seconds=60):
    begin = time.monotonic()
    wait_until(lambda: all(ledger["pending"] == 0 for ledger in gateway.ledgers().values()), "the backlog is delivered", seconds)
    tell(f"the backlog was delivered {time.monotonic() - begin:.1f} s after that")


def show_verdict(result):
    for key, value in result.items():
        if value != []:
            tell(f"{key:22} {value:,}" if isinstance(value, int) else f"{key:22} {value}")


def verdict(mesh, envoys, region, logs, gateway, stopped_ms):
    say("Every scrape that the mesh served against what the region holds, value by value, timestamp by timestamp")
    result, code = mesh.verify("--prometheus", region.base, "--normalise", "true", "--until", stopped_ms)
    show_verdict(result)
    say("Every line that the simulated containers wrote against what the region holds, text by text, in order")
    lines, logs_code = logs.mesh.verify(logs.region, TENANT, "--label", f"job={SIMULATED}")
    show_verdict(lines)
    wrong = 0
    if envoys:
        say("Requests sent through the real Envoys against the counters and the access lines in the region")
        wrong = compare_envoys(envoys, region, logs)
    for (_, name), ledger in gateway.ledgers().items():
        show_ledger("samples" if name == METRICS else "lines", ledger)
        wrong += name != METRICS and not logs.agrees(ledger)
    return code == 0 and logs_code == 0 and wrong == 0


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--keep", action="store_true", help="leave the stack running")
    options.add_argument("--sidecars", type=int, default=12)
    options.add_argument("--seconds", type=int, default=20, help="length of the outage")
    options = options.parse_args()
    directory = BUILD.parent / "demo"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    stack = []
    try:
        return run(options, directory, stack)
    finally:
        if not options.keep:
            for part in reversed(stack):
                part.stop()


def start_peers(options, directory, stack):
    """The simulated mesh, real Envoys where they can be had, containers that log, and what receives their lines."""
    say(f"A mesh of {options.sidecars} simulated sidecars and an istiod, each on its own address; the sidecars of six pods write logs")
    mesh = Mesh(directory, sidecars=options.sidecars).start()
    stack.append(mesh.process)
    logs = AccessLogs(directory, containers=6).start()
    stack.append(logs)
    if not envoy.available():
        say("Without real Envoys: they could not be had here")
        tell(envoy.unavailable_reason().replace("\n", "\n   "))
        return mesh, logs, None
    say("Three real Envoys with real requests through them; some fail, and each writes an access line")
    logs.envoys = envoy.EnvoyMesh(directory, logs=logs.root).start()
    stack.append(logs.envoys)
    return mesh, logs, logs.envoys


def run(options, directory, stack):
    mesh, logs, envoys = start_peers(options, directory, stack)
    say("The region's receivers (Prometheus; lines are taken by ampari-bench region), the gateway, the forwarder")
    region = Prometheus(directory).start()
    stack.append(region.process)
    gateway = Gateway(directory, [{"name": METRICS, "url": region.url}], loki_write=[logs.destination()]).start()
    stack.append(gateway.process)
    forwarder = Forwarder(directory, gateway.address, [mesh.targets], interval="2s", jobs=[envoys.job()] if envoys else [],
                          log_configs=logs.jobs()).start()
    stack.append(forwarder.process)
    tell(f"forwarder {forwarder.base}/targets   gateway {gateway.base}/metrics   region {region.base}/graph")
    traffic = Traffic(envoys) if envoys else None
    time.sleep(10)
    say(f"What the region knows after 10 s (PromQL over the last {WINDOW}; lines as they arrive)")
    show_rates(logs)
    show_queries(region)

    outage(region, logs, gateway, forwarder, options.seconds)
    settle(gateway)
    show_rates(logs)
    show_queries(region)

    say("Traffic ends, the forwarder drains and stops")
    if traffic:
        traffic.stop()
        time.sleep(5)  # the Envoys merge their histograms and two more scrapes see them
    logs.mesh.process.stop()
    logs.settle(gateway)
    stopped_ms = int(time.time() * 1000)
    code = forwarder.process.stop()
    settle(gateway)
    good = code == 0 and verdict(mesh, envoys, region, logs, gateway, stopped_ms)
    say("All equal: nothing lost, nothing doubled, nothing changed" if good else "DIFFERENT: see above")
    if options.keep:
        logs.mesh.process.start()
        forwarder.start()
        say("Left running (--keep); end it with: pkill -f ampari- ; pkill -x prometheus")
        tell(f"forwarder {forwarder.base}/targets   gateway {gateway.base}/api/v1/status/ledger   region {region.base}/graph")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
