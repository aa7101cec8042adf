"""From the objects that `helm install` puts into a real API server to data in the region: the real programs run with the
configurations, secrets and accounts found there, and `helm test`'s own command says that the path is whole."""

import functools
import http.server
import threading

import pytest
import yaml
from pod_objects import ISTIO_ANNOTATIONS, container, pod

from chart import BUILD
from mounts import mount
from release import Release  # noqa: F401: skips where there is no API server
from stack.pod_logs import PodLog
from stack.process import Process, fetch, free_port, wait_until
from stack.programs import Region, metric, run

for program in ("gateway/ampari-gateway", "forwarder/ampari-forwarder", "bench/ampari-bench"):
    if not (BUILD / program).exists():
        pytest.skip(f"{BUILD / program} is not built", allow_module_level=True)

PAGE = b'# TYPE istio_requests_total counter\nistio_requests_total{response_code="200"} 42\n'
NODE = "node-1"


class Sidecar:
    """One pod's metrics page."""

    def __init__(self):
        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/stats/prometheus" else 404)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(PAGE)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.60.0.1", 0), Page)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Installed:
    """The release's objects, and the programs as its pods would run them, on loopback."""

    def __init__(self, release, directory):
        self.release, self.api, self.root = release, release.api, directory
        self.grpc, self.http, self.status = free_port(), free_port(), free_port()
        self.pods = directory / "pods"  # stands for the node's /var/log/pods
        ask = functools.partial(self.api.ask, "GET")
        self.objects = [{**found, "kind": kind} for kind, plural in (("Secret", "secrets"), ("ConfigMap", "configmaps"))
                        for found in ask(release.path("api/v1", plural))["items"]]
        self.stateful = ask(release.path("apis/apps/v1", "statefulsets", "ampari-gateway"))["spec"]["template"]
        self.daemon = ask(release.path("apis/apps/v1", "daemonsets", "ampari-forwarder"))["spec"]["template"]

    def gateway(self):
        root = self.root / "gateway"
        config = yaml.safe_load(mount(self.stateful, self.objects, root))
        config["storage"] = {**config["storage"], "directory": str(root / "store"), "max_bytes": "512MiB"}
        config["grpc"]["listen_address"], config["http"]["listen_address"] = f"127.0.0.1:{self.grpc}", f"127.0.0.1:{self.http}"
        return self._process("gateway", root, config, self.stateful)

    def forwarder(self):
        """Its account's token stands for the mounted one."""
        root = self.root / "forwarder"
        config = yaml.safe_load(mount(self.daemon, self.objects, root).replace("/var/log/pods/", f"{self.pods}/"))
        self.stable_name = config["gateway"]["addresses"][0].rsplit(":", 1)[0]
        config["gateway"]["addresses"] = [f"127.0.0.1:{self.grpc}"]  # what the cluster's DNS would answer
        config["gateway"]["tls_config"]["server_name"] = self.stable_name
        config["http"]["listen_address"] = f"127.0.0.1:{self.status}"
        config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s"}
        account = self.daemon["spec"]["serviceAccountName"]
        answer = self.api.ask("POST", self.release.path("api/v1", "serviceaccounts", account) + "/token",
                              {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})
        (root / "account-token").write_text(answer["status"]["token"])
        for job in config["scrape_configs"] + config.get("log_configs", []):
            job["kubernetes_sd_configs"][0].update(
                api_server=self.api.url, authorization={"credentials_file": str(root / "account-token")}, tls_config={"ca_file": str(self.api.ca)})
        return self._process("forwarder", root, config, self.daemon, {"NODE_NAME": NODE})

    def _process(self, name, root, config, template, environment=None):
        file = root / f"{name}.yaml"
        file.write_text(yaml.safe_dump(config))
        container = template["spec"]["containers"][0]
        flags = [a for a in container["args"] if not a.startswith("--config.file")]
        assert container["command"] == [f"ampari-{name}"]
        return Process(name, [BUILD / name / f"ampari-{name}", f"--config.file={file}", *flags], self.root, environment)


@pytest.fixture
def running(release, tmp_path):
    """region, installed, forwarder: everything runs."""
    region = Region(tmp_path, token="token-of-the-region").start()
    release.upgrade(f"region.url={region.url}", "region.acceptPlaintext=true", "region.auth.type=bearer",
                    "region.auth.existingSecret=", "region.auth.token=token-of-the-region",
                    f"region.logs.url={region.logs_url}", "forwarder.logs.enabled=true")
    installed = Installed(release, tmp_path)
    gateway, forwarder = installed.gateway().start(), None
    try:
        wait_until(lambda: fetch(f"http://127.0.0.1:{installed.http}/-/ready")[0] == 200, "the gateway is ready", process=gateway)
        forwarder = installed.forwarder().start()
        wait_until(lambda: fetch(f"http://127.0.0.1:{installed.status}/-/ready")[0] == 200, "the forwarder is ready", process=forwarder)
        yield region, installed, forwarder
    finally:
        for process in filter(None, (forwarder, gateway, region.process)):
            process.stop(5)


def test_from_install_to_data(running, release):
    region, installed, forwarder = running
    sidecar = Sidecar()
    release.api.create_pod(pod("web-1", namespace=release.namespace, node=NODE, ip="127.60.0.1",
                               annotations={**ISTIO_ANNOTATIONS, "prometheus.io/port": str(sidecar.port)}))
    release.api.create_pod(pod("elsewhere", namespace=release.namespace, node="node-2", ip="127.60.0.1",
                               annotations={**ISTIO_ANNOTATIONS, "prometheus.io/port": str(sidecar.port)}))

    def arrived():
        return {s for s in region.samples("my-tenant") if "istio_requests_total" in s}

    wait_until(arrived, "the pod's series are in the region", process=forwarder)
    (series,) = arrived()
    for label in ('cluster="a"', f'namespace="{release.namespace}"', 'pod="web-1"', f'node="{NODE}"', 'job="kubernetes-pods"',
                  f'instance="127.60.0.1:{sidecar.port}"', 'response_code="200"'):
        assert label in series
    release.api.delete_pod("web-1", release.namespace)
    release.api.delete_pod("elsewhere", release.namespace)


def test_from_install_to_lines(running, release):
    region, installed, forwarder = running
    release.api.create_pod(pod("web-1", namespace=release.namespace, node=NODE, containers=[container("application"), container("istio-proxy", 15090, 15021)]))
    uid = release.api.ask("GET", f"/api/v1/namespaces/{release.namespace}/pods/web-1")["metadata"]["uid"]
    for name in ("application", "istio-proxy"):
        PodLog(installed.pods, release.namespace, "web-1", uid, name).write(f"a line of {name}")
    wait_until(lambda: region.lines("my-tenant"), "the proxy's line is in the region", process=forwarder)
    ((labels, _, line, _),) = region.lines("my-tenant")
    assert line == "a line of istio-proxy" and labels == {
        "cluster": "a", "namespace": release.namespace, "pod": "web-1", "container": "istio-proxy", "job": "integrations/istio",
        "log_type": "other", "stream": "stdout"}
    release.api.delete_pod("web-1", release.namespace)


def probe(installed, which):
    """The status that the kubelet sees."""
    get = installed.daemon["spec"]["containers"][0][which]["httpGet"]
    return fetch(f"http://127.0.0.1:{installed.status}{get['path']}")[0]


def test_a_rollout_waits_for_the_gateway(release, tmp_path):
    release.upgrade()
    installed = Installed(release, tmp_path)
    forwarder, gateway = installed.forwarder(), installed.gateway()
    try:
        forwarder.start()
        wait_until(lambda: fetch(f"http://127.0.0.1:{installed.status}/-/ready")[0] == 200, "the forwarder scrapes", process=forwarder)
        assert (probe(installed, "readinessProbe"), probe(installed, "livenessProbe"), probe(installed, "startupProbe")) == (503, 200, 200)
        gateway.start()
        wait_until(lambda: probe(installed, "readinessProbe") == 200, "the forwarder is welcomed", process=forwarder)
        gateway.stop()
        wait_until(lambda: metric(fetch(f"http://127.0.0.1:{installed.status}/metrics")[1].decode(), "ampari_forwarder_gateway_connected") == 0,
                   "the forwarder knows that the gateway is away", process=forwarder)
        assert probe(installed, "readinessProbe") == 200, "an outage of the gateway makes no ready pod unready"
    finally:
        for process in (forwarder, gateway):
            process.kill()


def test_the_command_of_helm_test(running, release):
    region, installed, forwarder = running
    hooks = release.helm("get", "hooks", "ampari")
    hook = next(h for h in yaml.safe_load_all(hooks) if h and h["kind"] == "Pod")
    container = hook["spec"]["containers"][0]
    flags = [a for a in container["args"][1:] if not a.startswith("--config.file")]
    status = f"--gateway-status=http://127.0.0.1:{installed.http}"  # the default asks port 4751 of each gateway
    code, output, errors = run([*forwarder.argv[:2], container["args"][0], *flags, status])
    assert code == 0, output + errors
    assert [s for s in region.samples("my-tenant") if "ampari_canary_timestamp_seconds" in s and 'cluster="a"' in s]
