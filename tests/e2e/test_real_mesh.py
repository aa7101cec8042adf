"""A mesh without containers: API server, istiod and Envoys as real processes, pods with Istio's annotations, one address each."""

import struct

import pytest
from certificates import Authority
from cluster import NODE, pods_job, wait_for_pods
from pod_objects import container, pod
from support import assert_no_trouble, balanced, destination, finish

from stack import control_plane, istio
from stack.control_plane import ControlPlane
from stack.envoy import METRIC_RULES, STATUS_PORT, EnvoyMesh
from stack.process import wait_until

MISSING = control_plane.unavailable_reason(*control_plane.BINARIES, *istio.BINARIES, name="mesh")
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

STALE = "7ff0000000000002"
RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]


def number(bits):
    return struct.unpack(">d", bytes.fromhex(bits))[0]


class RealMesh:
    """Everything of it; `region` is what the forwarder's gateway delivers to."""

    def __init__(self, chain):
        authority = Authority(chain.directory)
        certificate = authority.issue("api")
        self.plane = chain.own(ControlPlane(chain.directory, (certificate.cert, certificate.key), authority.ca)).start()
        self.plane.create_namespace(istio.NAMESPACE)
        self.istiod = istio.Istiod(chain.directory, self.plane.kubeconfig(chain.directory / "istiod-kubeconfig"))
        chain.own(self.istiod.process)
        self.istiod.start()
        self.envoys = chain.own(EnvoyMesh(chain.directory, extend=istio.connected(self.istiod)))
        self._create_pods()
        self.envoys.start()
        self.region = chain.region()
        self.gateway = chain.gateway([destination(self.region)])
        token = chain.directory / "token"
        token.write_text(self.plane.service_account("ampari", RULES))
        access = {"authorization": {"credentials_file": str(token)}, "tls_config": {"ca_file": str(authority.ca)}}
        self.forwarder = chain.forwarder(self.gateway.address, [], node=NODE, jobs=[
            pods_job(self.plane.url, discovery=access, metric_relabel_configs=METRIC_RULES)])

    def _create_pods(self):
        annotations = {"prometheus.io/scrape": "true", "prometheus.io/port": str(STATUS_PORT), "prometheus.io/path": "/stats/prometheus"}
        for service, address in self.envoys.addresses.items():
            self.plane.create_pod(pod(self.envoys.pod_name(service), ip=address, annotations=annotations,
                                      labels={"app": service, "version": "v1"}, init=[container("istio-init")],
                                      containers=[container(service, 9080), container("istio-proxy", (15090, "http-envoy-prom"))]))
        self.plane.create_pod(pod(
            "istiod-0", namespace=istio.NAMESPACE, ip=self.istiod.address, labels={"app": "istiod"},
            annotations={"prometheus.io/scrape": "true", "prometheus.io/port": str(istio.MONITORING_PORT)},
            containers=[container("discovery", (8080, "http-debug"), (15010, "grpc-xds"), (15014, "http-monitoring"))]))

    def make_pushes(self, name):
        """A service appears: istiod tells every Envoy."""
        before = self.istiod.pushes().get("cds", 0)
        self.plane.ask("POST", "/api/v1/namespaces/default/services", {
            "metadata": {"name": name}, "spec": {"selector": {"app": name}, "ports": [{"port": 80, "name": "http"}]}})
        wait_until(lambda: self.istiod.pushes().get("cds", 0) >= before + len(self.envoys.SERVICES), "every Envoy is told of a service",
                   process=self.istiod.process)

    def samples(self, metric, **labels):
        """{series: samples in the order of time} in the region."""
        wanted = [f'{name}="{value}"' for name, value in {"__name__": metric, **labels}.items()]
        return {series: sorted(samples) for series, samples in self.region.samples().items() if all(w in series for w in wanted)}

    def last(self, metric, **labels):
        """The sum of the newest values of the series with these labels."""
        return sum(number(samples[-1][1]) for samples in self.samples(metric, **labels).values())

    def wait_for_requests(self):
        """Until the region holds exactly the requests that the client sent."""
        for (service, status), sent in self.envoys.sent.items():
            where = {"destination_app": service, "response_code": status, "namespace": "default",
                     "pod": self.envoys.pod_name(service), "node": NODE}
            wait_until(lambda s=sent, w=where: self.last("istio_requests_total", **w) == s, f"{sent} requests of {where}",
                       process=self.forwarder.process)

    def wait_for_pushes(self):
        """Until the region holds what istiod's own page says."""
        def equal():
            pushes = self.istiod.pushes()
            return pushes and all(self.last("pilot_xds_pushes", type=kind, namespace=istio.NAMESPACE, pod="istiod-0", node=NODE) == count
                                  for kind, count in pushes.items())
        wait_until(equal, "the pushes of istiod's page are in the region", process=self.forwarder.process, every=0.5)


def test_requests_and_pushes_of_a_real_mesh(chain):
    mesh = RealMesh(chain)
    pods = ["istiod-0", *[mesh.envoys.pod_name(s) for s in mesh.envoys.SERVICES]]
    wait_for_pods(mesh.forwarder, pods, "the mesh is found by its annotations")
    mesh.envoys.send(300)
    mesh.make_pushes("first")
    mesh.wait_for_requests()
    mesh.wait_for_pushes()
    assert {"cds", "lds"} <= set(mesh.istiod.pushes())
    check_pod_deleted_while_the_region_is_down(mesh, pods)


def check_pod_deleted_while_the_region_is_down(mesh, pods):
    mesh.region.control(mode="down")
    gone = mesh.envoys.pod_name("ratings")
    mesh.plane.delete_pod(gone)
    wait_for_pods(mesh.forwarder, [p for p in pods if p != gone], "the deleted pod is no target")
    mesh.make_pushes("second")
    before = min(t["scrapes"] for t in mesh.forwarder.targets()["targets"])
    wait_until(lambda: min(t["scrapes"] for t in mesh.forwarder.targets()["targets"]) >= before + 4, "its end of run is over",
               process=mesh.forwarder.process)
    mesh.region.control(mode="ok")
    wait_until(lambda: all(s[-1][1] == STALE for s in mesh.samples("istio_requests_total", pod=gone).values()), "its series end",
               process=mesh.gateway.process)
    mesh.wait_for_pushes()
    finish(mesh.forwarder, mesh.gateway)
    assert_no_trouble(mesh.region)
    ended = mesh.samples("istio_requests_total", pod=gone)
    assert len(ended) == 4, ended  # one for each answer
    for samples in ended.values():
        bits = [b for _, b in samples]
        assert len(bits) > 1 and bits.count(STALE) == 1 and bits[-1] == STALE
    pushes = mesh.samples("pilot_xds_pushes")
    assert len(pushes) >= 2, pushes
    for samples in pushes.values():
        values = [number(b) for _, b in samples]
        assert values == sorted(values), "a counter in the order of time"
    assert balanced(mesh.gateway.ledger())
