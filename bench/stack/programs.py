"""The programs of the chain, each with its configuration, its ports and what can be asked of it."""

import json
import os
import pathlib
import subprocess
import urllib.parse

import yaml

from .process import PATIENCE, Process, fetch, free_port, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("AMPARI_BUILD", ROOT / "build/release"))
CACHE = pathlib.Path(os.environ.get("AMPARI_CACHE") or pathlib.Path(
    os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ampari")
BENCH = BUILD / "bench/ampari-bench"

ANONYMOUS = "anonymous"  # the region's tenant of requests without X-Scope-OrgID

# Istio's own scrape job (samples/addons/prometheus.yaml, `kubernetes-pods`) as relabelling: annotations decide whether, where
# and how a pod is scraped; its labels, namespace, name and node travel with every sample.
ISTIO_RULES = [
    {"source_labels": ["__meta_kubernetes_pod_annotation_prometheus_io_scrape"], "action": "keep", "regex": True},
    {"source_labels": ["__meta_kubernetes_pod_annotation_prometheus_io_scrape_slow"], "action": "drop", "regex": True},
    {"source_labels": ["__meta_kubernetes_pod_annotation_prometheus_io_scheme"], "action": "replace", "regex": "(https?)",
     "target_label": "__scheme__"},
    {"source_labels": ["__meta_kubernetes_pod_annotation_prometheus_io_path"], "action": "replace", "regex": "(.+)",
     "target_label": "__metrics_path__"},
    {"source_labels": ["__meta_kubernetes_pod_annotation_prometheus_io_port", "__meta_kubernetes_pod_ip"],
     "action": "replace", "regex": r"(\d+);(([A-Fa-f0-9]{1,4}::?){1,7}[A-Fa-f0-9]{1,4})", "replacement": "[$2]:$1",
     "target_label": "__address__"},
    {"source_labels": ["__meta_kubernetes_pod_annotation_prometheus_io_port", "__meta_kubernetes_pod_ip"],
     "action": "replace", "regex": r"(\d+);((([0-9]+?)(\.|$)){4})", "replacement": "$2:$1", "target_label": "__address__"},
    {"action": "labelmap", "regex": "__meta_kubernetes_pod_annotation_prometheus_io_param_(.+)",
     "replacement": "__param_$1"},
    {"action": "labelmap", "regex": "__meta_kubernetes_pod_label_(.+)"},
    {"source_labels": ["__meta_kubernetes_namespace"], "action": "replace", "target_label": "namespace"},
    {"source_labels": ["__meta_kubernetes_pod_name"], "action": "replace", "target_label": "pod"},
    {"source_labels": ["__meta_kubernetes_pod_phase"], "action": "drop", "regex": "Pending|Succeeded|Failed|Completed"},
    {"source_labels": ["__meta_kubernetes_pod_node_name"], "action": "replace", "target_label": "node"},
]


def write_yaml(path, value):
    path.write_text(yaml.safe_dump(value, sort_keys=False, width=160))


def run(argv, timeout=PATIENCE):
    """A program to its end: (exit code, output, errors)."""
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=timeout)
    return done.returncode, done.stdout, done.stderr


class Region:
    """bench/region: a verifying, fault-injecting receiver of remote write and Loki pushes."""

    def __init__(self, directory, name="region", token=None, certificate=None, host=None):
        self.port, self.control_port = free_port(), free_port()
        tls = ["--tls-cert", certificate.cert, "--tls-key", certificate.key] if certificate else []
        address = host.address if host else "127.0.0.1"
        self.process = Process(name, [BENCH, "region", "--listen", f"{address}:{self.port}", "--control",
                                      f"127.0.0.1:{self.control_port}", *tls], directory, host=host)
        self.token = token
        self.url = f"{'https' if tls else 'http'}://{address}:{self.port}/api/v1/push"
        self.logs_url = self.url.replace("/push", "/logs/push")
        self.control_url = f"http://127.0.0.1:{self.control_port}"

    def start(self):
        self.process.start()
        wait_until(lambda: self.process.fetch(f"{self.control_url}/report")[0] == 200, "the region listens", process=self.process)
        if self.token:
            self.control(token=self.token)
        return self

    def control(self, **settings):
        query = urllib.parse.urlencode({k: str(v).lower() if isinstance(v, bool) else v for k, v in settings.items()})
        status, body = self.process.fetch(f"{self.control_url}/control?{query}", data=b"")
        assert status == 204, f"control {settings}: {status} {body!r}"

    def report(self):
        status, body = self.process.fetch(f"{self.control_url}/report")
        assert status == 200, body
        return json.loads(body)

    def tenant(self, name=ANONYMOUS):
        """Counts of one tenant: samples, series, resends, doubles, conflicts, out_of_order…"""
        return self.report()["tenants"].get(name, {})

    def logs(self, tenant):
        """Counts of one tenant's lines: lines, streams, resends, doubles, identical, out_of_order, refused, response_codes…"""
        return self.report()["logs"].get(tenant, {})

    def lines(self, tenant, limit=1_000_000, **labels):
        """[(labels, time_ns, line, metadata)] of the streams with these labels: stream by stream, each in the order of arrival."""
        wanted = {"tenant": tenant, "limit": limit, **{f"label.{k}": v for k, v in labels.items()}}
        status, body = self.process.fetch(f"{self.control_url}/lines?{urllib.parse.urlencode(wanted)}", timeout=120)
        assert status == 200, body
        rows = [json.loads(line) for line in body.decode().split("\n") if line]
        return [(row["labels"], row["time_ns"], row["line"], row["metadata"]) for row in rows]

    def line_counts(self, tenant, by="response_code", **labels):
        """{value: lines} by any label, or by the status of access lines, of the streams with these labels."""
        query = urllib.parse.urlencode({"tenant": tenant, "by": by, **{f"label.{k}": v for k, v in labels.items()}})
        status, body = self.process.fetch(f"{self.control_url}/line_counts?{query}", timeout=60)
        assert status == 200, body
        return json.loads(body)

    def metadata(self, tenant=ANONYMOUS):
        """{family: (type, unit, help)}."""
        status, body = self.process.fetch(f"{self.control_url}/metadata?tenant={urllib.parse.quote(tenant)}")
        assert status == 200, body
        rows = [line.split("\t", 3) for line in body.decode().splitlines()]
        return {family: (kind, unit, words) for family, kind, unit, words in rows}

    def samples(self, tenant=ANONYMOUS):
        """{series: [(ms, bits)]} of one tenant."""
        status, body = self.process.fetch(f"{self.control_url}/samples?tenant={urllib.parse.quote(tenant)}", timeout=120)
        assert status == 200, body
        found = {}
        for line in body.decode().splitlines():
            series, ms, bits = line.rsplit("\t", 2)
            found.setdefault(series, []).append((int(ms), bits))
        return found


class Prometheus:
    """A real Prometheus, as the region's receiver or with scrape jobs of its own."""

    def __init__(self, directory, name="prometheus", binary="/usr/bin/prometheus", flags=(), jobs=()):
        self.port = free_port()
        config = pathlib.Path(directory) / f"{name}.yml"
        write_yaml(config, {"global": {"scrape_interval": "15s"}, **({"scrape_configs": list(jobs)} if jobs else {})})
        self.process = Process(name, [binary, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{self.port}",
                                      f"--storage.tsdb.path={pathlib.Path(directory) / (name + '-data')}",
                                      "--web.enable-remote-write-receiver", "--query.lookback-delta=1m", *flags], directory)
        self.base = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.base}/api/v1/write"

    def start(self):
        self.process.start()
        wait_until(lambda: fetch(f"{self.base}/-/ready")[0] == 200, "Prometheus is ready", process=self.process)
        return self

    def query(self, expression, time=None):
        """The result vector of an instant query: [(labels, value)]."""
        arguments = {"query": expression, **({"time": time} if time else {})}
        status, body = fetch(f"{self.base}/api/v1/query?{urllib.parse.urlencode(arguments)}", timeout=60)
        assert status == 200, f"{expression}: {status} {body!r}"
        return [(r["metric"], r.get("value", [None, None])[1] if "value" in r else r["values"])
                for r in json.loads(body)["data"]["result"]]

    def targets(self):
        """What it scrapes and what it dropped, as its API tells."""
        status, body = fetch(f"{self.base}/api/v1/targets", timeout=60)
        assert status == 200, body
        return json.loads(body)["data"]

    def number(self, expression):
        """The one number of an instant query, or None."""
        result = self.query(expression)
        return float(result[0][1]) if result else None


class Mesh:
    """bench/mesh: simulated sidecars and an istiod, each on a loopback address of its own, with the real ports or any free ones."""

    def __init__(self, directory, name="mesh", sidecars=3, seed=1, flags=(), real_ports=True, host=None):
        directory = pathlib.Path(directory)
        self.log, self.bodies = directory / f"{name}-scrapes.log", directory / f"{name}-bodies"
        self.targets = directory / f"{name}-targets.json"
        ports = directory / f"{name}-ports"
        flags = [*flags, *([] if real_ports else ["--sidecar-port", 0, "--istiod-port", 0])]
        self.process = Process(name, [BENCH, "mesh", "--sidecars", sidecars, "--seed", seed, "--log", self.log, "--bodies",
                                      self.bodies, "--print-targets", self.targets, "--port-file", ports, *flags], directory,
                               host=host)
        self.ports = ports

    def start(self):
        self.process.start()
        wait_until(self.ports.exists, "the mesh listens", process=self.process)
        return self

    def verify(self, *arguments, timeout=600, host=None):
        """Every scrape served against what arrived: (verdict, exit code). `host`: where the region is."""
        command = [*(["ip", "netns", "exec", host.namespace] if host else []), BENCH, "verify", "--mesh-log", self.log, "--bodies",
                   self.bodies, "--targets", self.targets, *arguments]
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=timeout)
        assert done.stdout.strip(), f"{command}\n{done.stderr}"
        return json.loads(done.stdout.strip().splitlines()[-1]), done.returncode


class LogMesh:
    """bench/mesh's containers: pods' log files as a node writes them, with a record of every line."""

    def __init__(self, directory, name="log-mesh", pods=3, rate=10, seed=1, flags=()):
        directory = pathlib.Path(directory)
        self.root, self.written, self.targets = directory / name, directory / f"{name}-written", directory / f"{name}-targets.json"
        self.process = Process(name, [BENCH, "logs", "--directory", self.root, "--pods", pods, "--rate", rate, "--seed", seed, "--written",
                                      self.written, "--print-targets", self.targets, *flags], directory)

    def start(self):
        self.process.start()
        wait_until(self.targets.exists, "the containers write", process=self.process)
        return self

    def verify(self, region, tenant, *flags, timeout=600):
        """Every line written against what the region holds: (verdict, exit code)."""
        code, output, errors = run([BENCH, "verify-logs", "--written", self.written, "--region", region.control_url, "--tenant", tenant,
                                    *flags], timeout)
        assert output.strip(), errors
        return json.loads(output.strip().splitlines()[-1]), code


class Relay:
    """tests/support/ampari-test-relay between forwarders and a gateway: the witness of what was promised."""

    def __init__(self, directory, gateway_address, name="relay"):
        self.address = f"127.0.0.1:{free_port()}"
        self.record_file = pathlib.Path(directory) / f"{name}-record"
        self.process = Process(name, [BUILD / "tests/support/ampari-test-relay", "--listen", self.address, "--gateway",
                                      gateway_address, "--record", self.record_file], directory, obeys=True)

    def start(self):
        self.process.start()
        wait_until(lambda: self.process.said("listening"), "the relay listens", process=self.process)
        return self

    def tell(self, command):
        """cut, hold, release, drop-acks, pass-acks, refuse or accept."""
        before = self.process.said("ok")
        self.process.tell(command)
        wait_until(lambda: self.process.said("ok") > before, f"the relay obeys {command}", process=self.process)

    def record(self):
        """Every event so far, oldest first; what is not yet a whole line is not."""
        return [json.loads(line) for line in self.record_file.read_text().rpartition("\n")[0].splitlines()]


class Gateway:
    """ampari-gateway with one directory; it can be killed and started again."""

    def __init__(self, directory, destinations, name="gateway", host=None, **sections):
        directory = pathlib.Path(directory)
        self.grpc_port, self.http_port = (4750, 4751) if host else (free_port(), free_port())
        address = host.address if host else "127.0.0.1"
        self.config_file, self.storage = directory / f"{name}.yaml", directory / f"{name}-data"
        self.config = {
            "storage": {"directory": str(self.storage), "max_bytes": "512MiB", **sections.pop("storage", {})},
            "grpc": {"listen_address": f"{address}:{self.grpc_port}", "insecure": True, **sections.pop("grpc", {})},
            "http": {"listen_address": f"127.0.0.1:{self.http_port}", **sections.pop("http", {})},
            **({"remote_write": destinations} if destinations else {}), **sections,
        }
        write_yaml(self.config_file, self.config)
        self.base = f"http://127.0.0.1:{self.http_port}"
        self.address = f"{address}:{self.grpc_port}"
        self.process = Process(name, [BUILD / "gateway/ampari-gateway", f"--config.file={self.config_file}"], directory,
                               host=host)

    def start(self):
        self.process.start()
        return self.ready()

    def ready(self):
        wait_until(lambda: self.process.fetch(f"{self.base}/-/ready")[0] == 200, "the gateway is ready", process=self.process)
        return self

    def command(self, *arguments, timeout=PATIENCE):
        """Another process of the program with the same configuration: (exit code, output, errors)."""
        return run([*self.process.argv, *arguments], timeout)

    def rewrite(self, config):
        """New configuration, taken over by reload."""
        self.config = config
        write_yaml(self.config_file, config)
        status, body = self.process.fetch(f"{self.base}/-/reload", data=b"")
        assert status == 200, body

    def json(self, path):
        status, body = self.process.fetch(f"{self.base}{path}", timeout=60)
        assert status == 200, f"{path}: {status} {body[:2000]!r}"
        return json.loads(body)

    def ledgers(self):
        """{(tenant, destination): ledger}."""
        return {(d["tenant"], d["destination"]): d["ledger"] for d in self.json("/api/v1/status/ledger")["destinations"]}

    def ledger(self):
        """The only destination's."""
        (ledger,) = self.ledgers().values()
        return ledger

    def metrics(self):
        status, body = self.process.fetch(f"{self.base}/metrics")
        assert status == 200
        return body.decode()


class Forwarder:
    """ampari-forwarder on file discovery with Istio's annotation rules, or on the jobs given."""

    def __init__(self, directory, gateway_address, target_files, name="forwarder", interval="1s", jobs=(), gateway=None,
                 node="", flags=(), host=None, **sections):
        directory = pathlib.Path(directory)
        self.http_port = free_port()
        self.config_file = directory / f"{name}.yaml"
        mesh_job = {"job_name": "kubernetes-pods", "honor_labels": True,
                    "file_sd_configs": [{"files": [str(f) for f in target_files], "refresh_interval": "5s"}],
                    "relabel_configs": ISTIO_RULES}
        self.config = {
            "global": {"scrape_interval": interval, "scrape_timeout": interval},
            "scrape_configs": ([mesh_job] if target_files else []) + list(jobs),
            "gateway": {**({"addresses": gateway_address} if isinstance(gateway_address, list) else {"address": gateway_address}), "name": name, "insecure": True, **(gateway or {})},
            "http": {"listen_address": f"127.0.0.1:{self.http_port}", **sections.pop("http", {})}, **sections,
        }
        write_yaml(self.config_file, self.config)
        self.base = f"http://127.0.0.1:{self.http_port}"
        self.process = Process(name, [BUILD / "forwarder/ampari-forwarder", f"--config.file={self.config_file}", *flags], directory,
                               {"NODE_NAME": node} if node else None, host=host)

    def start(self):
        self.process.start()
        wait_until(lambda: self.process.fetch(f"{self.base}/-/ready")[0] == 200, "the forwarder is ready", process=self.process)
        return self

    def command(self, *arguments, timeout=PATIENCE):
        """As Gateway.command."""
        return run([*self.process.argv, *arguments], timeout)

    def rewrite(self, config):
        """New configuration, taken over by reload."""
        self.config = config
        write_yaml(self.config_file, config)
        status, body = self.process.fetch(f"{self.base}/-/reload", data=b"")
        assert status == 200, body

    def targets(self):
        status, body = self.process.fetch(f"{self.base}/targets")
        assert status == 200, body
        return json.loads(body)

    def metrics(self):
        status, body = self.process.fetch(f"{self.base}/metrics")
        assert status == 200
        return body.decode()


def metric(text, name, **labels):
    """The sum of the samples of a metrics page that carry these labels."""
    total, found = 0.0, False
    for line in text.splitlines():
        head = line.rsplit(" ", 1)[0]
        if line.startswith("#") or head.split("{", 1)[0] != name:
            continue
        if all(f'{k}="{v}"' in head for k, v in labels.items()):
            total, found = total + float(line.rsplit(" ", 1)[1]), True
    assert found, f"{name}{labels} is not on the page"
    return total
