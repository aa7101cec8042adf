"""The access logs of the demo: containers that write, the rules that find them, and the proof that every line arrived once."""

import time

from stack.envoy import EnvoyMesh
from stack.process import wait_until
from stack.programs import LogMesh, Region

TENANT = "demo"
SIMULATED, REAL = "simulated", "integrations/istio"  # jobs


class AccessLogs:
    """Simulated containers, real Envoys where there are some, and the region's receiver of logs."""

    def __init__(self, directory, containers):
        self.root = directory / "pods"
        self.mesh = LogMesh(directory, name="pods", pods=containers, rate=25, flags=["--rotate-bytes", 200_000, "--rotate-check-ms", 1000])
        self.region = Region(directory, name="region-logs")
        self.envoys = None

    def destination(self):
        """The gateway's loki_write entry."""
        return {"name": "region-logs", "url": self.region.logs_url, "headers": {"X-Scope-OrgID": TENANT}, "send_frame_header": True,
                "max_backoff_period": "2s"}

    def jobs(self):
        """The forwarder's log_configs."""
        return [self._job(SIMULATED, self.mesh.targets), *([self._job(REAL, self.envoys.targets)] if self.envoys else [])]

    def _job(self, name, targets):
        rules = [{"source_labels": [f"__meta_kubernetes_{label}"], "target_label": label.removeprefix("pod_").replace("container_name", "container")}
                 for label in ("namespace", "pod_container_name")]
        rules += [{"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"}, {"target_label": "job", "replacement": name},
                  {"source_labels": ["__meta_kubernetes_pod_uid", "__meta_kubernetes_pod_container_name"], "separator": "/",
                   "target_label": "__path__", "replacement": f"{self.root}/*$1/*.log"}]
        return {"job_name": name, "start": "beginning", "relabel_configs": rules,
                "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "1s"}]}

    def start(self):
        self.region.start()
        self.mesh.start()
        return self

    def stop(self, _=None):
        self.mesh.process.stop()
        self.region.process.stop()

    # --- what arrives

    def lines(self):
        return self.region.logs(TENANT).get("lines", 0)

    def rates(self, seconds=2):
        """{response code: lines a second} as they arrive."""
        before, begin = self.region.line_counts(TENANT), time.monotonic()
        time.sleep(seconds)
        after, passed = self.region.line_counts(TENANT), time.monotonic() - begin
        return {code: (count - before.get(code, 0)) / passed for code, count in sorted(after.items())}

    def settle(self, gateway, seconds=30):
        """Until everything that is written has arrived."""
        wanted = sum(len(log.written) for log in self.envoys.logs.values()) if self.envoys else 0
        written = sum(line.startswith(("L", "P")) for line in self.mesh.written.read_text().splitlines())
        wait_until(lambda: self.lines() >= wanted + written, f"{wanted + written} lines in the region", seconds, gateway.process)

    def agrees(self, ledger):
        """Whether the gateway's account of lines is what the region holds. One that the gateway had stored twice would count twice
        there; the region cannot always tell it from one that was sent again."""
        same = ledger["accepted"] == ledger["delivered"] == self.lines()
        print(f"   the region holds {self.lines():,} different lines{'' if same else '   DIFFERENT'}", flush=True)
        return same

    def lines_of(self, service, code):
        """Access lines of one Envoy with this response code in the region."""
        return self.region.line_counts(TENANT, job=REAL, pod=EnvoyMesh.pod_name(service)).get(str(code), 0)
