"""A real API server, and a real Prometheus beside the forwarder: the same targets, label by label, whatever happens."""

import signal

import pytest
from certificates import Authority
from cluster import NOBODY, NODE, pods_job
from pod_objects import ISTIO_ANNOTATIONS, container, pod

from stack.control_plane import ControlPlane, unavailable_reason
from stack.process import wait_until
from stack.programs import CACHE, ISTIO_RULES, metric

PROMETHEUS = CACHE / "bin/prometheus3"
MISSING = unavailable_reason() or ("" if PROMETHEUS.exists() else "no current Prometheus: script/counterparts prometheus")
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

NODE_ONLY = {"selectors": [{"role": "pod", "field": f"spec.nodeName={NODE}"}]}  # what the forwarder does by itself
RULES = [{"apiGroups": [group], "resources": resources, "verbs": ["get", "list", "watch"]} for group, resources in (
    ("", ["pods", "nodes", "namespaces"]), ("apps", ["replicasets"]), ("batch", ["jobs"]))]
ATTACHED = {"attach_metadata": {"node": True, "namespace": True, "deployment": True, "job": True, "cronjob": True}}
WEIRD = {"plain": "x", "example.com/a-b_c.d": "dots and / slashes", "empty": "", "lines": "one\ntwo\ttab", "quotes": "\"'\\ ${x} $1",
         "unicode": "αμπάρι 🚢", "long": "y" * 5000}
DUAL = {"podIP": "10.1.0.9", "podIPs": [{"ip": "10.1.0.9"}, {"ip": "fd00::9"}]}


def with_status(of, **changes):
    return {**of, "status": {**of["status"], **changes}}


PODS = [
    pod("no-ports", ip="10.1.0.1"),
    pod("ports", ip="10.1.0.2", containers=[
        container("web", (8080, "http"), 8081, (9000, "udp", "UDP"), (9001, None, "SCTP")), container("no-port"), container("istio-proxy", (15090, "http-envoy-prom"))]),
    pod("init", ip="10.1.0.3", init=[container("istio-init"), container("prepare", 7000),
                                     container("istio-proxy", (15090, "http-envoy-prom"), restart_policy="Always")]),
    pod("ipv6", ip="fd00::1:2", annotations=ISTIO_ANNOTATIONS, containers=[container("web", 8080)]),
    with_status(pod("dual", ip="10.1.0.9", annotations=ISTIO_ANNOTATIONS), **DUAL),
    pod("no-address", ip="", phase="Pending", ready=None, annotations=ISTIO_ANNOTATIONS),
    pod("succeeded", ip="10.1.0.4", phase="Succeeded", ready="False", annotations=ISTIO_ANNOTATIONS),
    pod("failed", ip="10.1.0.5", phase="Failed", ready="False", annotations=ISTIO_ANNOTATIONS),
    pod("readiness-unknown", ip="10.1.0.6", ready="Unknown"),
    pod("no-conditions", ip="10.1.0.7", ready=None, host_ip=""),
    pod("replica", ip="10.1.0.8", owner=("ReplicaSet", "web-5d8f"), labels={"app": "web", "empty": "", "app.kubernetes.io/name": "web"}),
    pod("job", ip="10.1.0.10", owner=("Job", "backup-29")),
    pod("weird", ip="10.1.0.11", annotations=WEIRD),
    pod("mesh", ip="10.1.0.12", annotations=ISTIO_ANNOTATIONS, containers=[container("web", 8080, 8081), container("istio-proxy", 15090)]),
    pod("secure", ip="10.1.0.13", annotations={**ISTIO_ANNOTATIONS, "prometheus.io/scheme": "https", "prometheus.io/param_format": "text"}),
    pod("no-port-annotation", ip="10.1.0.14", annotations={"prometheus.io/scrape": "true"}, containers=[container("web", 8080, 8081)]),
    pod("slow", ip="10.1.0.15", annotations={**ISTIO_ANNOTATIONS, "prometheus.io/scrape-slow": "true"}),
    pod("not-started", ip="10.1.0.16", ids=False),
    pod("elsewhere", ip="10.2.0.1", node="node-2", annotations=ISTIO_ANNOTATIONS),
    pod("unscheduled", ip="", node="", phase="Pending", ready=None),
    pod("ports", namespace="other", ip="10.1.1.2", annotations=ISTIO_ANNOTATIONS),
]


# Settings that Prometheus carries through relabelling as labels of its own.
ITS_OWN = ("__always_scrape_classic_histograms__", "__convert_classic_histograms_to_nhcb__", "__scrape_native_histograms__")


def frozen(labels):
    return tuple(sorted((name, value) for name, value in labels.items() if name not in ITS_OWN))


class Both:
    """A forwarder and a Prometheus that ask the same of one API server."""

    def __init__(self, chain):
        authority = Authority(chain.directory)
        certificate = authority.issue("api")
        self.plane = chain.own(ControlPlane(chain.directory, (certificate.cert, certificate.key), authority.ca)).start()
        self.plane.create_namespace("other")
        token = chain.directory / "token"
        token.write_text(self.plane.service_account("ampari", RULES))
        access = {"authorization": {"credentials_file": str(token)}, "tls_config": {"ca_file": str(authority.ca)}}

        def jobs(more):
            """Scraped once an hour: who answers is not the matter here."""
            return [pods_job(self.plane.url, rules, name, {**access, **more, **discovery}, scrape_interval="1h", scrape_timeout="10s")
                    for name, rules, discovery in (("everything", [], {}), ("kubernetes-pods", ISTIO_RULES, {}), ("attached", [], ATTACHED))]
        self._create_owners()
        for each in PODS:
            self.plane.create_pod(each)
        self.prometheus = chain.prometheus(binary=PROMETHEUS, jobs=jobs(NODE_ONLY))
        self.forwarder = chain.forwarder(NOBODY, [], node=NODE, jobs=jobs({}), flags=["--shutdown.grace=0s"])

    def _create_owners(self):
        """The node, and what owns the owners of two pods."""
        def owned(name, kind):
            return {"name": name, "ownerReferences": [{"apiVersion": "apps/v1", "kind": kind[0], "name": kind[1], "uid": "u", "controller": True}]}
        template = {"metadata": {"labels": {"app": "x"}},
                    "spec": {"restartPolicy": "Always", "containers": [{"name": "c", "image": "registry.test/c:1"}]}}
        batch = {**template, "spec": {**template["spec"], "restartPolicy": "Never"}}
        self.plane.ask("POST", "/api/v1/nodes", {"metadata": {"name": NODE, "labels": {"topology.kubernetes.io/zone": "a"}, "annotations": WEIRD}})
        self.plane.ask("POST", "/apis/apps/v1/namespaces/default/replicasets", {
            "metadata": owned("web-5d8f", ("Deployment", "web")), "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template}})
        self.plane.ask("POST", "/apis/batch/v1/namespaces/default/jobs", {
            "metadata": owned("backup-29", ("CronJob", "backup")), "spec": {"template": batch}})

    def of_prometheus(self):
        told = self.prometheus.targets()
        return ({(t["scrapePool"], t["scrapeUrl"], frozen(t["labels"]), frozen(t["discoveredLabels"])) for t in told["activeTargets"]},
                {frozen(t["discoveredLabels"]) for t in told["droppedTargets"]})

    def of_forwarder(self):
        told = self.forwarder.targets()
        return ({(t["job"], t["url"], frozen(t["labels"]), frozen(t["discovered_labels"])) for t in told["targets"]},
                {frozen(t["discovered_labels"]) for t in told["dropped"]})

    def agree(self, why, **labels):
        """Until both have the same targets, active and dropped, and one of them with these discovered labels (None: without)."""
        def equal():
            ours, theirs = self.of_forwarder(), self.of_prometheus()
            return ours if ours == theirs and self._shown(ours, labels) else None
        try:
            return wait_until(equal, why, process=self.forwarder.process, every=0.5)
        except AssertionError as late:
            sides = zip(("active", "dropped"), self.of_forwarder(), self.of_prometheus())
            shown = [f"{what}: only ours {sorted(a - b)[:3]}\nonly Prometheus' {sorted(b - a)[:3]}" for what, a, b in sides if a != b]
            raise AssertionError("\n".join([f"{late}", *shown])) from None

    @staticmethod
    def _shown(targets, labels):
        wanted = {(f"__meta_kubernetes_{k}", v) for k, v in labels.items() if v is not None}
        unwanted = [f"__meta_kubernetes_{k}" for k, v in labels.items() if v is None]
        found = [dict(t[3]) for t in targets[0] if wanted <= set(t[3])]
        return bool(found) and not any(name in t for t in found for name in unwanted)


@pytest.fixture(scope="module")
def both(shared_chain):
    return Both(shared_chain)


def test_pods_of_every_kind(both):
    active, _ = both.agree("the targets are equal", pod_name="replica", pod_controller_kind="ReplicaSet")
    seen = {dict(t[3])["__meta_kubernetes_pod_name"] for t in active}
    assert seen == {p["metadata"]["name"] for p in PODS} - {"no-address", "elsewhere", "unscheduled"}


def test_what_is_attached(both):
    plane, merge = both.plane, {"content_type": "application/merge-patch+json"}
    both.agree("the deployment's name", pod_name="replica", pod_deployment_name="web", node_label_topology_kubernetes_io_zone="a", node_name=NODE)
    both.agree("the job's and the cron job's", pod_name="job", pod_job_name="backup-29", pod_cronjob_name="backup")
    plane.ask("PATCH", f"/api/v1/nodes/{NODE}", {"metadata": {"labels": {"topology.kubernetes.io/zone": "b"}}}, **merge)
    plane.ask("PATCH", "/api/v1/namespaces/other", {"metadata": {"labels": {"team": "shop"}, "annotations": {"note": "x"}}}, **merge)
    both.agree("labels of node and namespace changed", namespace="other", node_label_topology_kubernetes_io_zone="b", namespace_label_team="shop")
    plane.ask("DELETE", "/apis/apps/v1/namespaces/default/replicasets/web-5d8f")
    both.agree("an owner that is gone", pod_name="replica", pod_deployment_name=None)
    plane.ask("DELETE", f"/api/v1/nodes/{NODE}")
    both.agree("a node that is gone", pod_name="replica", node_name=None)
    plane.ask("POST", "/api/v1/nodes", {"metadata": {"name": NODE, "labels": {"topology.kubernetes.io/zone": "c"}}})
    both.agree("it is back", pod_name="replica", node_label_topology_kubernetes_io_zone="c")


def test_pods_patched_and_deleted(both):
    plane = both.plane
    plane.patch_pod("replica", {"metadata": {"annotations": {"new": "1"}, "labels": {"app": "other", "empty": None}}})
    both.agree("labels and annotations changed", pod_name="replica", pod_annotation_new="1", pod_label_app="other", pod_label_empty=None)
    plane.patch_status("no-address", {"phase": "Running", "podIP": "10.1.0.99", "podIPs": [{"ip": "10.1.0.99"}]})
    both.agree("an address came", pod_name="no-address", pod_ip="10.1.0.99")
    plane.patch_status("mesh", {"phase": "Succeeded"})
    both.agree("a pod ended", pod_name="mesh", pod_phase="Succeeded")
    plane.delete_pod("weird")
    plane.delete_pod("ports", "other")
    plane.delete_pod("job", grace_seconds=300)  # terminating: still a target
    plane.create_pod(pod("late", ip="10.1.0.50", annotations=ISTIO_ANNOTATIONS))
    plane.patch_pod("slow", {"spec": {"ephemeralContainers": [
        {"name": "debugger", "image": "registry.test/debug:1", "terminationMessagePolicy": "File"}]}}, subresource="/ephemeralcontainers")
    active, _ = both.agree("deleted, created, terminating", pod_name="late")
    names = [dict(t[3])["__meta_kubernetes_pod_name"] for t in active]
    assert "weird" not in names and "job" in names


def test_a_pod_replaced_under_its_name(both):
    both.plane.delete_pod("dual")
    both.plane.create_pod(pod("dual", ip="10.1.0.51", annotations=ISTIO_ANNOTATIONS))
    both.agree("the new pod's address", pod_name="dual", pod_ip="10.1.0.51")


def test_restart_of_the_server(both):
    before = both.of_forwarder()
    both.plane.restart_api(meanwhile=lambda: wait_until(
        lambda: any(w["error"] for w in both.forwarder.targets()["kubernetes"]), "the forwarder noticed", process=both.forwarder.process))
    assert both.of_forwarder() == before, "known targets stay"
    both.plane.create_pod(pod("after-restart", ip="10.1.0.60", annotations=ISTIO_ANNOTATIONS))
    both.agree("after a restart", pod_name="after-restart")


def test_history_that_is_gone(both):
    """The forwarder sleeps while pods change and the server forgets: 410, a new list, and what was deleted is gone."""
    both.plane.create_pod(pod("forgotten", ip="10.1.0.62", annotations=ISTIO_ANNOTATIONS))
    both.agree("before the compaction", pod_name="forgotten")
    both.forwarder.process.signal(signal.SIGSTOP)
    try:
        both.plane.restart_api()  # what happens from here on is on no connection that the forwarder has
        both.plane.delete_pod("forgotten")
        both.plane.create_pod(pod("after-compaction", ip="10.1.0.61", annotations=ISTIO_ANNOTATIONS))
        both.plane.forget_history()
        both.plane.restart_api()
    finally:
        both.forwarder.process.signal(signal.SIGCONT)
    active, _ = both.agree("after a compaction", pod_name="after-compaction")
    assert "forgotten" not in {dict(t[3])["__meta_kubernetes_pod_name"] for t in active}
    assert metric(both.forwarder.metrics(), "ampari_forwarder_kubernetes_failures_total", reason="gone") >= 1


def test_the_token_lets_do_nothing_else(both):
    token = (both.plane.directory / "token").read_text()
    assert both.plane.get("/api/v1/pods?limit=1", token)[0] == 200
    for path in ("/api/v1/secrets", "/api/v1/configmaps", "/api/v1/services", "/apis/apps/v1/deployments"):
        assert both.plane.get(path, token)[0] == 403, path
