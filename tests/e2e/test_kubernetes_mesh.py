"""Simulated sidecars whose pods an API server of ours knows: what is found by discovery arrives whole, and ends as it should."""

import json
import os
import pathlib

import pytest
import yaml
from cluster import pods_job, wait_for_pods
from kubernetes_api import KubernetesApi
from pod_objects import ISTIO_ANNOTATIONS, container, pod
from support import assert_exact, assert_no_trouble, destination, finish, scrapes, wait_for_scrapes

from stack.process import free_port, wait_until
from stack.programs import ROOT

STALE = "7ff0000000000002"
SHARED = pathlib.Path(os.environ.get("AMPARI_SHARED_DATA") or ROOT.parent / "shared/data")
ADDON = SHARED / "istio-addon-prometheus.yaml"


def mesh_pods(mesh):
    """The mesh's targets as pods: a sidecar each, which Istio's annotations point to."""
    found = {}
    for group in json.loads(mesh.targets.read_text()):
        meta = {k.removeprefix("__meta_kubernetes_"): v for k, v in group["labels"].items()}
        labels = {k.removeprefix("pod_label_"): v for k, v in meta.items() if k.startswith("pod_label_")}
        annotations = {f"prometheus.io/{key}": meta[f"pod_annotation_prometheus_io_{key}"] for key in ("scrape", "port", "path")
                       if f"pod_annotation_prometheus_io_{key}" in meta}
        found[meta["pod_name"]] = pod(
            meta["pod_name"], namespace=meta["namespace"], node=meta["pod_node_name"], ip=meta["pod_ip"], labels=labels,
            annotations=annotations, init=[container("istio-init")],
            containers=[container("application", (9080, "http")), container("istio-proxy", (15090, "http-envoy-prom"))])
    return found


class Cluster:
    """A region, a gateway, a mesh known to an API server, and the forwarder of its only node."""

    def __init__(self, chain, jobs=None, flags=()):
        self.region, self.mesh = chain.region(), chain.mesh()
        self.gateway = chain.gateway([destination(self.region)])
        self.api = chain.own(KubernetesApi(port=free_port(), bookmark_seconds=0.5))
        self.pods = mesh_pods(self.mesh)
        self.api.put(*self.pods.values())
        (node,) = {p["spec"]["nodeName"] for p in self.pods.values()}
        self.forwarder = chain.forwarder(self.gateway.address, [], node=node, jobs=jobs(self.api) if jobs else [pods_job(self.api.url)],
                                         flags=flags)
        wait_for_pods(self.forwarder, self.pods, "the whole mesh is found")
        wait_for_scrapes(self.forwarder, 2)

    def of_pod(self, name):
        """{series: its samples in the order of time} of one pod in the region."""
        return {series: sorted(samples) for series, samples in self.region.samples().items() if f'pod="{name}"' in series}

    def ended(self, name):
        """Whether every series of the pod ends with a staleness marker."""
        series = self.of_pod(name)
        return bool(series) and all(samples[-1][1] == STALE for samples in series.values())

    def assert_ended_once(self, name):
        """A scrape that failed ends its series as well; the end is after all of these."""
        found = self.of_pod(name)
        assert len(found) > 100, "a sidecar's whole page"
        (up,) = [samples for series, samples in found.items() if '__name__="up"' in series]
        failed = sum(int(bits, 16) == 0 for _, bits in up)
        for series, samples in found.items():
            values = [bits for _, bits in samples]
            assert values[-1] == STALE and values.count(STALE) <= 1 + failed and set(values) != {STALE}, (series, samples)

    def assert_alive(self, names):
        for name in names:
            (up,) = [samples for series, samples in self.of_pod(name).items() if '__name__="up"' in series]
            assert up[-1][1] != STALE, name


ENDS = {
    "deleted": lambda api, name, namespace: api.delete(name, namespace),
    "ended": lambda api, name, namespace: api.patch(name, {"status": {"phase": "Succeeded"}}, namespace),
    "unannotated": lambda api, name, namespace: api.patch(name, {"metadata": {"annotations": {"prometheus.io/scrape": "false"}}}, namespace),
}


@pytest.mark.parametrize("region_up", [True, False], ids=["region up", "region down"])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_pod_that_ends_is_stale_once(chain, end, region_up):
    cluster = Cluster(chain)
    gone, *others = sorted(cluster.pods)
    wait_for_delivery_of(cluster, gone)
    if not region_up:
        cluster.region.control(mode="down")
    end(cluster.api, gone, cluster.pods[gone]["metadata"]["namespace"])
    wait_for_pods(cluster.forwarder, others, "the pod is no target any more")
    wait_for_scrapes(cluster.forwarder, scrapes(cluster.forwarder) + 4)  # its end of run is over
    cluster.region.control(mode="ok")
    wait_until(lambda: cluster.ended(gone), "every series of the pod ends in the region", process=cluster.gateway.process)
    assert_exact(cluster.mesh, cluster.region, finish(cluster.forwarder, cluster.gateway))
    cluster.assert_ended_once(gone)
    cluster.assert_alive(others)


def wait_for_delivery_of(cluster, name):
    wait_until(lambda: cluster.of_pod(name), f"something of {name} is in the region", process=cluster.gateway.process)


def test_an_outage_of_the_api_costs_no_scrape(chain):
    cluster = Cluster(chain)
    cluster.api.down()
    wait_until(lambda: any(w["error"] for w in cluster.forwarder.targets()["kubernetes"]), "the API is away", process=cluster.forwarder.process)
    first = cluster.forwarder.targets()["targets"][0]["scrapes"]
    wait_for_scrapes(cluster.forwarder, first + 4)
    cluster.api.compact()
    cluster.api.up()
    wait_until(lambda: cluster.api.watches and not any(w["error"] for w in cluster.forwarder.targets()["kubernetes"]), "the API is back",
               process=cluster.forwarder.process)
    wait_for_scrapes(cluster.forwarder, first + 6)
    assert_exact(cluster.mesh, cluster.region, finish(cluster.forwarder, cluster.gateway))
    cluster.assert_alive(cluster.pods)


def test_a_changed_label_is_another_series(chain):
    cluster = Cluster(chain)
    name = sorted(cluster.pods)[0]
    namespace = cluster.pods[name]["metadata"]["namespace"]
    wait_for_delivery_of(cluster, name)
    cluster.api.patch(name, {"metadata": {"labels": {"rollout": "second"}}}, namespace)
    wait_until(lambda: any('rollout="second"' in s for s in cluster.of_pod(name)), "the new label arrives", process=cluster.gateway.process)
    wait_until(lambda: all(v[-1][1] == STALE for s, v in cluster.of_pod(name).items() if "rollout=" not in s), "the old series end",
               process=cluster.gateway.process)
    finish(cluster.forwarder, cluster.gateway)
    assert_no_trouble(cluster.region)


def addon_jobs(api):
    """Istio's own scrape jobs, unchanged but for where the API is."""
    for document in yaml.safe_load_all(ADDON.read_text()):
        if document["kind"] == "ConfigMap":
            jobs = yaml.safe_load(document["data"]["prometheus.yml"])["scrape_configs"]
    for job in jobs:
        for discovery in job.get("kubernetes_sd_configs", []):
            if discovery["role"] == "pod":
                discovery["api_server"] = api.url
    return jobs


@pytest.mark.skipif(not ADDON.exists(), reason=f"{ADDON} is not here")
def test_the_jobs_of_istios_addon(chain):
    jobs = lambda api: [j for j in addon_jobs(api) if j["job_name"] != "prometheus"]  # itself, at localhost:9090
    cluster = Cluster(chain, jobs=jobs, flags=["--skip-unsupported-jobs"])
    cluster.api.put(pod("slow", ip="127.40.9.9", node=next(iter(cluster.pods.values()))["spec"]["nodeName"],
                        annotations={**ISTIO_ANNOTATIONS, "prometheus.io/scrape-slow": "true"}))
    wait_for_pods(cluster.forwarder, [*cluster.pods, "slow"], "one target per pod")
    jobs_of = {t["discovered_labels"]["__meta_kubernetes_pod_name"]: t["job"] for t in cluster.forwarder.targets()["targets"]}
    assert jobs_of.pop("slow") == "kubernetes-pods-slow" and set(jobs_of.values()) == {"kubernetes-pods"}
    assert_exact(cluster.mesh, cluster.region, finish(cluster.forwarder, cluster.gateway))
