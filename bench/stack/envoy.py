"""Real Envoys that count real requests in Istio's shape.

Upstream Envoy lacks Istio's own stats filter; its stats access logger emits counters and histograms of any name with tags
taken from the request. The page shows them under the prefix envoy_mesh_, which a metric relabel rule takes away.
"""

import http.server
import json
import os
import pathlib
import threading
import urllib.error
import urllib.request

from .pod_logs import ContainerProcess, PodLog
from .process import Process, fetch, free_port, wait_until
from .programs import CACHE, ISTIO_RULES, write_yaml

BUCKETS = [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000]
STATUS_PORT = 15090  # the simulated sidecars hold 15020
NETWORK = f"127.{64 + os.getpid() % 128}"  # of this process, so that what runs beside it has its ports
METRIC_RULES = [{"source_labels": ["__name__"], "regex": "envoy_mesh_(istio_.+)", "target_label": "__name__", "replacement": "$1"}]

# Istio's default text format (pilot's telemetry_logging.go, since 1.9): the same operators in the same order.
ACCESS_LOG_FORMAT = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% '
    '%CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% '
    '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" '
    '"%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% '
    '%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n')


def available():
    return (CACHE / "bin/envoy").exists()


def unavailable_reason():
    note = CACHE / "envoy.skipped"
    return note.read_text() if note.exists() else "script/counterparts envoy was not run"


def _tags(service):
    fixed = {
        "reporter": "destination", "source_workload": "loadgen", "source_workload_namespace": "default", "source_app": "loadgen",
        "source_cluster": "Kubernetes", "destination_workload": f"{service}-v1", "destination_workload_namespace": "default",
        "destination_app": service, "destination_version": "v1", "destination_cluster": "Kubernetes",
        "destination_service": f"{service}.default.svc.cluster.local", "destination_service_name": service,
        "destination_service_namespace": "default", "destination_canonical_service": service, "request_protocol": "http",
        "connection_security_policy": "none",
    }
    tags = [{"name": k, "value_format": v} for k, v in fixed.items()]
    return tags + [{"name": "response_code", "value_format": "%RESPONSE_CODE%"},
                   {"name": "response_flags", "value_format": "%RESPONSE_FLAGS%"}]


def _cluster(name, port):
    endpoint = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}
    return {"name": name, "type": "STATIC", "connect_timeout": "1s",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}]}}


def _access_log(stats, text):
    """The loggers of a listener: the counting one, and as text on standard output where wanted."""
    file = {"@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog", "path": "/proc/self/fd/1",
            "log_format": {"text_format_source": {"inline_string": ACCESS_LOG_FORMAT}}}
    return [{"name": "stats", "typed_config": stats}, *([{"name": "file", "typed_config": file}] if text else [])]


def _config(service, address, port, backend_port, dead_port, text):
    histogram = lambda name, value, unit: {"stat": {"name": name, "tags": _tags(service)}, "value_format": value, "unit": unit}
    stats = {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config",
        "stat_prefix": "mesh",
        "counters": [{"stat": {"name": "istio_requests_total", "tags": _tags(service)}, "value_fixed": 1}],
        "histograms": [histogram("istio_request_duration_milliseconds", "%DURATION%", "Milliseconds"),
                       histogram("istio_request_bytes", "%BYTES_RECEIVED%", "Bytes"),
                       histogram("istio_response_bytes", "%BYTES_SENT%", "Bytes")],
    }
    routes = [{"match": {"prefix": "/dead"}, "route": {"cluster": "dead"}},
              {"match": {"prefix": "/missing"}, "direct_response": {"status": 404}},
              {"match": {"prefix": "/"}, "route": {"cluster": "backend"}}]
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "inbound", "access_log": _access_log(stats, text),
        "route_config": {"virtual_hosts": [{"name": service, "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
    }
    socket_address = lambda host, number: {"socket_address": {"address": host, "port_value": number}}
    return {
        "admin": {"address": socket_address(address, STATUS_PORT)},
        "stats_flush_interval": "1s",
        "stats_config": {"histogram_bucket_settings": [{"match": {"prefix": "mesh.istio"}, "buckets": BUCKETS},
                                                       {"match": {"prefix": "istio"}, "buckets": BUCKETS}]},
        "static_resources": {
            "listeners": [{"name": "inbound", "address": socket_address("127.0.0.1", port), "filter_chains": [
                {"filters": [{"name": "http", "typed_config": manager}]}]}],
            "clusters": [_cluster("backend", backend_port), _cluster("dead", dead_port)],
        },
    }


class _Application(http.server.BaseHTTPRequestHandler):
    """What the sidecars stand before: answers at once, and fails where the path says so."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write for head and body

    def do_GET(self):
        body = b"ok\n" * 40
        self.send_response(500 if self.path.startswith("/fail") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        pass


class EnvoyMesh:
    """Three Envoys before one application, with what was sent through them counted at the client."""

    SERVICES = ("productpage", "reviews", "ratings")
    PATHS = ("/", "/", "/", "/", "/", "/", "/fail", "/missing", "/dead", "/")

    def __init__(self, directory, network=f"{NETWORK}.1", extend=None, logs=None):
        """`extend`: called with each Envoy's configuration, pod name and address before it is written. `logs`: a directory of pod
        logs, into which a container runtime writes what the Envoys say: access lines, flushed every second as Istio has it."""
        directory = pathlib.Path(directory)
        self.application = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Application)
        threading.Thread(target=self.application.serve_forever, daemon=True).start()
        self.targets = directory / "envoy-targets.json"
        self.ports, self.processes, self.addresses = {}, [], {}
        self.logs = {}  # service -> PodLog
        self.sent = {}  # (service, status) -> requests answered so
        groups = []
        for number, service in enumerate(self.SERVICES, 1):
            address, port = f"{network}.{number}", free_port()
            config = directory / f"envoy-{service}.yaml"
            content = _config(service, address, port, self.application.server_port, free_port(), logs is not None)
            if extend:
                extend(content, self.pod_name(service), address)
            write_yaml(config, content)
            argv = [CACHE / "bin/envoy", "-c", config, "--use-dynamic-base-id", "--log-level", "warning", "--concurrency", "1"]
            if logs:
                self.logs[service] = PodLog(logs, "default", self.pod_name(service), self.uid(number))
                self.processes.append(ContainerProcess(f"envoy-{service}", [*argv, "--file-flush-interval-msec", "1000"], directory,
                                                       self.logs[service]))
            else:
                self.processes.append(Process(f"envoy-{service}", argv, directory))
            self.ports[service], self.addresses[service] = port, address
            groups.append(self._pod(service, address, number))
        self.targets.write_text(json.dumps(groups, indent=1))

    @staticmethod
    def pod_name(service):
        return f"{service}-v1-envoy"

    @staticmethod
    def uid(number):
        return f"7b0c5f6e-0000-4000-8000-{number:012d}"

    @classmethod
    def _pod(cls, service, address, number):
        meta = {"namespace": "default", "pod_name": cls.pod_name(service), "pod_ip": address, "pod_phase": "Running",
                "pod_uid": cls.uid(number), "pod_container_name": "istio-proxy",
                "pod_node_name": "node-1", "pod_annotation_prometheus_io_scrape": "true",
                "pod_annotation_prometheus_io_port": str(STATUS_PORT),
                "pod_annotation_prometheus_io_path": "/stats/prometheus", "pod_label_app": service, "pod_label_version": "v1"}
        return {"targets": [address], "labels": {f"__meta_kubernetes_{k}": v for k, v in meta.items()}}

    def job(self):
        """The scrape job for these pods."""
        return {"job_name": "envoys", "file_sd_configs": [{"files": [str(self.targets)]}], "relabel_configs": ISTIO_RULES,
                "metric_relabel_configs": METRIC_RULES}

    def start(self):
        for process in self.processes:
            process.start()
        for service, process in zip(self.SERVICES, self.processes):
            url = f"http://{self.addresses[service]}:{STATUS_PORT}/ready"
            wait_until(lambda u=url: fetch(u)[0] == 200, f"Envoy {service} is ready", process=process)
        return self

    def send(self, requests):
        """Sends requests through the Envoys in turn and counts the answers."""
        for number in range(requests):
            service = self.SERVICES[number % len(self.SERVICES)]
            path = self.PATHS[(number // len(self.SERVICES)) % len(self.PATHS)]
            status = _status(f"http://127.0.0.1:{self.ports[service]}{path}")
            self.sent[service, status] = self.sent.get((service, status), 0) + 1

    def counted(self, service, status):
        """How many requests with that answer are in the service's histogram, which an Envoy brings up to date each second."""
        _, page = fetch(f"http://{self.addresses[service]}:{STATUS_PORT}/stats/prometheus")
        counts = [line for line in page.decode().splitlines() if line.startswith("envoy_mesh_istio_request_duration_milliseconds_count{")]
        return sum(int(line.rsplit(" ", 1)[1]) for line in counts if f'response_code="{status}"' in line)

    def stop(self, _=None):
        for process in self.processes:
            process.stop()
        self.application.shutdown()


def _status(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        error.read()
        return error.code
