"""The forwarder against an API server that does what a test tells it: whatever the API does, known targets stay, and what changed
meanwhile is known as soon as the API answers again."""

import json
import time

import pytest
from certificates import Authority
from cluster import NOBODY, NODE, POD_LABEL, pods, pods_job, scraped, wait_for_pods
from kubernetes_api import EXPIRED, Answer, KubernetesApi, api_status
from pod_objects import ISTIO_ANNOTATIONS, container, pod

from stack.process import PATIENCE, free_port, wait_until
from stack.programs import write_yaml


def sidecar(number, **options):
    """A pod of the mesh that nobody serves: discovery is what these tests look at."""
    return pod(f"pod-{number}", ip=f"127.40.1.{number}", annotations=ISTIO_ANNOTATIONS, labels={"app": f"app-{number}"}, **options)


CHANGED = ["pod-2", "pod-3", "pod-4"]


def change(api):
    """One pod goes, one comes, one comes elsewhere."""
    api.delete("pod-1")
    api.put(sidecar(4), pod("other", node="node-3", annotations=ISTIO_ANNOTATIONS))


class Bed:
    """An API server with the pods 1 to 3 of this node and one of another, and a forwarder that knows the three."""

    def __init__(self, chain, page_limit=0, discovery=None, **options):
        self.chain = chain
        self.api = chain.own(KubernetesApi(port=free_port(), bookmark_seconds=0.5, **options))
        self.api.page_limit = page_limit
        self.api.put(*[sidecar(n) for n in (1, 2, 3)], pod("elsewhere", node="node-2", annotations=ISTIO_ANNOTATIONS))
        self.forwarder = chain.forwarder(NOBODY, [], node=NODE, jobs=[pods_job(self.api.url, discovery=discovery)],
                                         flags=["--shutdown.grace=0s"])

    def known(self):
        wait_for_pods(self.forwarder, ["pod-1", "pod-2", "pod-3"], "the pods of this node are listed")
        self.watching()
        return self

    def watching(self):
        wait_until(lambda: self.api.watches, "the pods are watched", process=self.forwarder.process)

    def trouble(self, what):
        """Until /targets tells of an error of the API."""
        wait_until(lambda: any(w["error"] for w in self.forwarder.targets()["kubernetes"]), f"/targets tells: {what}",
                   process=self.forwarder.process)


@pytest.fixture
def bed(chain):
    return Bed(chain).known()


def test_changes_of_pods(bed):
    api, forwarder = bed.api, bed.forwarder
    api.put(sidecar(4), pod("not-yet", ip="", annotations=ISTIO_ANNOTATIONS, phase="Pending"), pod("plain"))
    wait_for_pods(forwarder, ["pod-1", "pod-2", "pod-3", "pod-4"], "a created pod is scraped; without address or annotation it is not")
    api.patch("not-yet", {"status": {"podIP": "127.40.1.9", "phase": "Running"}})
    wait_for_pods(forwarder, ["not-yet", "pod-1", "pod-2", "pod-3", "pod-4"], "a pod that got its address is scraped")
    api.patch("pod-1", {"metadata": {"annotations": {"prometheus.io/port": "15090"}}})
    wait_until(lambda: ("pod-1", "127.40.1.1:15090") in scraped(forwarder), "a patched annotation moves the target", process=forwarder.process)
    assert len(pods(forwarder)) == 5, "never the old and the new port of one pod together"
    api.patch("pod-2", {"status": {"phase": "Succeeded"}})
    api.delete("pod-3")
    wait_for_pods(forwarder, ["not-yet", "pod-1", "pod-4"], "a pod that ended and one that was deleted are scraped no more")
    assert "elsewhere" not in json.dumps(forwarder.targets()), "another node's pods are not even discovered"
    assert all("spec.nodeName=node-1" in r.query["fieldSelector"] for r in api.asked("list") + api.asked("watch"))


def test_a_pod_replaced_under_its_name_while_nobody_watched(bed):
    bed.api.down()
    bed.api.delete("pod-1")
    bed.api.put(pod("pod-1", ip="127.40.1.77", annotations=ISTIO_ANNOTATIONS))
    bed.api.compact()
    bed.api.up()
    wait_until(lambda: ("pod-1", "127.40.1.77:15020") in scraped(bed.forwarder), "the new pod's address is known")
    assert pods(bed.forwarder) == ["pod-1", "pod-2", "pod-3"]


def broken_list(answer, times=2):
    """A new list is needed and cannot be had."""
    def begin(api):
        api.script(answer, kind="list", times=times)
        api.expire_watches()
    return begin


def broken_watch(answer, times=2):
    def begin(api):
        api.script(answer, kind="watch", times=times)
        api.end_watches()
    return begin


def failed_page(answer):
    """The first page comes, the second does not."""
    def begin(api):
        api.page_limit = 2
        api.script(answer, kind="continue", times=2)
        api.expire_watches()
    return begin


def told(*lines, end=False):
    """A watch that says strange things, then goes on or ends."""
    return lambda api: api.tell_watches(*lines, end=end)


def told_by_status(api):
    api.expired_by_status = True
    api.compact()
    api.end_watches()


def restored(api):
    """From a backup: resource versions have gone back below what the client saw."""
    api.restore_backup(50)


def slowly(api):
    api.piece_bytes, api.piece_seconds = 64, 0.001
    api.expire_watches()


ERROR_500 = api_status(500, "InternalError", "etcdserver: leader changed")
HTML = Answer(200, b"<html><body>welcome</body></html>", {"Content-Type": "text/html"})


def said(status, value, **headers):
    return Answer(status, json.dumps(value).encode(), {k.replace("_", "-"): v for k, v in headers.items()})


NOT_A_LIST = [
    ("nothing", Answer(200, b"")),
    ("empty object", said(200, {})),
    ("status in place of a list", said(200, ERROR_500)),
    ("empty list of nowhere", said(200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []})),
    ("null", Answer(200, b"null")),
    ("a page of HTML", HTML),
    ("truncated", Answer(200, b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"900"},"items":[')),
    ("cut", Answer(200, b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"900"},"items":[]}', cut_after=60)),
    ("binary", Answer(200, bytes(range(256)) * 64)),
    ("deep nesting", Answer(200, b'{"items":' + b"[" * 200_000)),
]
# name, what begins the fault
FAULTS = [
    ("watch cut", lambda api: api.break_connections()),
    ("watch ended", lambda api: api.end_watches()),
    ("410 in band", lambda api: api.expire_watches()),
    ("410 by status", told_by_status),
    ("410 for the next page", failed_page(said(410, EXPIRED))),
    ("500 for the next page", failed_page(said(500, ERROR_500))),
    ("next page cut", failed_page(Answer(200, b'{"items":[]}', cut_after=5))),
    ("list 429", broken_list(said(429, api_status(429, "TooManyRequests", "slow down"), Retry_After="1"))),
    ("list 500", broken_list(said(500, ERROR_500))),
    ("list 503", broken_list(Answer(503, b"no healthy upstream"))),
    ("list 403", broken_list(said(403, api_status(403, "Forbidden", "pods is forbidden")), times=1)),
    ("list 404", broken_list(said(404, api_status(404, "NotFound", "not found")), times=1)),
    ("list elsewhere", broken_list(Answer(302, b"", {"Location": "http://127.0.0.1:9/"}))),
    ("watch 429", broken_watch(said(429, api_status(429, "TooManyRequests", "slow down"), Retry_After="1"))),
    ("watch 500", broken_watch(said(500, ERROR_500))),
    ("watch 401", broken_watch(said(401, api_status(401, "Unauthorized", "Unauthorized")), times=1)),
    ("watch of HTML", broken_watch(HTML)),
    ("empty watches", broken_watch(Answer(200, b""))),
    ("backup restored", restored),
    ("slow bytes", slowly),
    ("500 in band", told({"type": "ERROR", "object": ERROR_500}, end=True)),
    ("no JSON", told(b"garbage\n")),
    ("half a line", told(b'{"type":"MODIFIED","object":{"metadata":{"name":"pod-1"', end=True)),
    ("event of nothing", told({"type": "DELETED"}, {"type": "DELETED", "object": {}}, {"type": "ADDED", "object": None})),
    ("unknown event", told({"type": "RENAMED", "object": {"metadata": {"name": "pod-1", "namespace": "default"}}})),
    ("blank lines", told(b"\n\r\n\n")),
    ("endless line", told(*[b"x" * (1 << 20)] * 64)),
    *[(f"list: {name}", broken_list(answer)) for name, answer in NOT_A_LIST],
]


class Storm:
    """Every fault at once: an API server for each, and one forwarder that watches all of them. What it shows is noted all the time."""

    def __init__(self, chain):
        self.apis = {name: chain.own(KubernetesApi(port=free_port(), bookmark_seconds=0.5)) for name, _ in FAULTS}
        for api in self.apis.values():
            api.put(*map(sidecar, (1, 2, 3)))
        self.forwarder = chain.forwarder(NOBODY, [], node=NODE, interval="5s", flags=["--shutdown.grace=0s"],
                                         jobs=[pods_job(api.url, name=name) for name, api in self.apis.items()])
        self.shown = {name: [] for name in self.apis}  # each different answer, oldest first
        self._wait(["pod-1", "pod-2", "pod-3"], list(self.apis), "all pods of all servers are listed")
        wait_until(lambda: all(api.watches for api in self.apis.values()), "all are watched", process=self.forwarder.process)
        for name, begin in FAULTS:
            begin(self.apis[name])
            change(self.apis[name])
        self.deadline = time.monotonic() + PATIENCE  # of all together

    def look(self):
        found = {name: [] for name in self.apis}
        for target in self.forwarder.targets()["targets"]:
            found[target["job"]].append(target["discovered_labels"][POD_LABEL])
        for name, names in found.items():
            if self.shown[name][-1:] != [sorted(names)]:
                self.shown[name].append(sorted(names))

    def _wait(self, names, servers, why, seconds=PATIENCE):
        def reached():
            self.look()
            return all(self.shown[server][-1] == names for server in servers)
        try:
            wait_until(reached, why, seconds, self.forwarder.process, every=0.1)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{[(s, self.shown[s]) for s in servers]}") from None

    def settled(self, name):
        self._wait(CHANGED, [name], f"what changed during '{name}' is known", max(0.0, self.deadline - time.monotonic()))


@pytest.fixture(scope="module")
def storm(shared_chain):
    return Storm(shared_chain)


@pytest.mark.parametrize("name", [name for name, _ in FAULTS])
def test_targets_stay_and_changes_come(storm, name):
    storm.settled(name)
    for names in storm.shown[name][storm.shown[name].index(["pod-1", "pod-2", "pod-3"]):]:  # what did not change was never away
        assert {"pod-2", "pod-3"} <= set(names) <= {"pod-1", "pod-2", "pod-3", "pod-4"}, storm.shown[name]
    assert len(storm.apis[name].requests) < 30, "failures are retried with growing delays"


def test_an_api_that_is_away(bed):
    bed.api.down()
    change(bed.api)
    bed.trouble("nothing listens")
    assert pods(bed.forwarder) == ["pod-1", "pod-2", "pod-3"]
    bed.api.up()
    wait_for_pods(bed.forwarder, CHANGED, "the API is back")


def test_a_forwarder_that_starts_before_the_api(chain):
    port = free_port()
    forwarder = chain.forwarder(NOBODY, [], node=NODE, jobs=[pods_job(f"http://127.0.0.1:{port}")], flags=["--shutdown.grace=0s"])
    api = chain.own(KubernetesApi(port=port))
    api.put(sidecar(1))
    wait_for_pods(forwarder, ["pod-1"], "the API came up later")


def test_an_api_that_hangs(bed):
    hang = Answer(hang=True)
    bed.api.script(hang, kind="list", times=None)
    bed.api.expire_watches()
    change(bed.api)
    wait_until(lambda: len(bed.api.asked("list")) >= 2, "a list was asked for", process=bed.forwarder.process)
    assert pods(bed.forwarder) == ["pod-1", "pod-2", "pod-3"]
    bed.api.clear_scripts()
    wait_for_pods(bed.forwarder, CHANGED, "the API answers again")


def test_a_genuine_empty_list(bed):
    for name in ("pod-1", "pod-2", "pod-3"):
        bed.api.freeze()
        bed.api.delete(name)
    bed.api.expire_watches()
    wait_for_pods(bed.forwarder, [], "a complete list without pods is the truth")
    bed.api.freeze(False)
    bed.api.put(sidecar(7))
    wait_for_pods(bed.forwarder, ["pod-7"], "and goes on from there")


def test_paging(chain):
    bed = Bed(chain, page_limit=2).known()
    assert bed.api.asked("continue"), "the list came in pages"
    assert all(int(r.query["limit"]) > 0 for r in bed.api.asked("list"))


def test_huge_objects(bed):
    megabyte = "x" * (1 << 20)
    bed.api.put(pod("huge", ip="127.40.1.8", annotations={**ISTIO_ANNOTATIONS, "kubectl.kubernetes.io/last-applied-configuration": megabyte}))
    wait_for_pods(bed.forwarder, ["huge", "pod-1", "pod-2", "pod-3"], "a pod of a megabyte is watched")
    bed.api.put(sidecar(4))
    bed.api.expire_watches()
    wait_for_pods(bed.forwarder, ["huge", "pod-1", "pod-2", "pod-3", "pod-4"], "and listed")


def test_retry_after_is_honoured(bed):
    bed.api.script(said(429, api_status(429, "TooManyRequests", "slow down"), Retry_After="3"), kind="list")
    begin = max(r.time for r in bed.api.requests)
    bed.api.expire_watches()
    wait_until(lambda: len([r for r in bed.api.asked("list") if r.time > begin]) >= 2, "asked again", process=bed.forwarder.process)
    refused, again = [r.time for r in bed.api.asked("list") if r.time > begin][:2]
    assert again - refused >= 2.9


def test_token_rotation(chain):
    token = chain.directory / "token"
    token.write_text("old\n")
    bed = Bed(chain, tokens=["old"], discovery={"authorization": {"credentials_file": str(token)}}).known()
    bed.api.tokens = {"new"}
    bed.api.expire_watches()
    change(bed.api)
    wait_until(lambda: [r for r in bed.api.requests if r.status == 401], "the old token is refused", process=bed.forwarder.process)
    assert pods(bed.forwarder) == ["pod-1", "pod-2", "pod-3"]
    token.write_text("new\n")
    wait_for_pods(bed.forwarder, CHANGED, "the rotated token is read again")
    text = json.dumps(bed.forwarder.targets()) + bed.forwarder.process.log.read_text() + bed.forwarder.metrics()
    assert "Bearer" not in text


def tls(chain, name="api"):
    authority = Authority(chain.directory, f"{name}-ca")
    certificate = authority.issue(name)
    return authority, (certificate.cert, certificate.key)


def test_tls_with_a_ca(chain):
    authority, certificate = tls(chain)
    bed = Bed(chain, certificate=certificate, discovery={"tls_config": {"ca_file": str(authority.ca)}}).known()
    bed.api.break_connections()
    change(bed.api)
    wait_for_pods(bed.forwarder, CHANGED, "changes come over TLS")


def test_tls_of_a_stranger(chain):
    _, certificate = tls(chain)
    other, _ = tls(chain, "stranger")
    bed = Bed(chain, certificate=certificate, discovery={"tls_config": {"ca_file": str(other.ca)}})
    wait_until(lambda: "certificate" in bed.forwarder.process.log.read_text(), "the refusal is told", process=bed.forwarder.process)
    assert pods(bed.forwarder) == [] and not bed.api.requests


def test_a_kubeconfig(chain):
    authority, certificate = tls(chain)
    api = chain.own(KubernetesApi(tokens=["known"], certificate=certificate, port=free_port()))
    api.put(sidecar(1))
    kubeconfig = chain.directory / "kubeconfig"
    write_yaml(kubeconfig, {
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": api.url, "certificate-authority": authority.ca.name}}],
        "users": [{"name": "u", "user": {"token": "known"}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "default"}}]})
    job = pods_job("", discovery={"kubeconfig_file": str(kubeconfig)})
    del job["kubernetes_sd_configs"][0]["api_server"]
    forwarder = chain.forwarder(NOBODY, [], node=NODE, jobs=[job], flags=["--shutdown.grace=0s"])
    wait_for_pods(forwarder, ["pod-1"], "the API of the kubeconfig's context")


def test_namespaces_and_selectors(chain):
    api = chain.own(KubernetesApi(port=free_port()))
    api.put(*[pod(f"{name}-{kind}", namespace=name, ip=f"127.40.2.{n}", annotations=ISTIO_ANNOTATIONS, labels={"kind": kind})
              for n, (name, kind) in enumerate([("one", "a"), ("one", "b"), ("two", "a"), ("three", "a")], 1)])
    discovery = {"namespaces": {"names": ["one", "two"]}, "selectors": [{"role": "pod", "label": "kind=a"}]}
    forwarder = chain.forwarder(NOBODY, [], node=NODE, jobs=[pods_job(api.url, discovery=discovery)], flags=["--shutdown.grace=0s"])
    wait_for_pods(forwarder, ["one-a", "two-a"], "the namespaces named, by label")
    assert {r.path for r in api.requests} == {f"/api/v1/namespaces/{name}/pods" for name in ("one", "two")}
    api.forbidden.add("one")
    api.expire_watches()
    api.put(pod("two-c", namespace="two", ip="127.40.2.9", annotations=ISTIO_ANNOTATIONS, labels={"kind": "a"}))
    wait_for_pods(forwarder, ["one-a", "two-a", "two-c"], "one namespace refused delays no other")


def test_one_target_per_pod_of_the_mesh(bed):
    """Sidecars, native sidecars, ztunnel, waypoints: whatever ports are declared, the annotation decides."""
    proxy = container("istio-proxy", (15090, "http-envoy-prom"))
    native = container("istio-proxy", (15090, "http-envoy-prom"), restart_policy="Always")
    init = container("istio-init")
    waypoint = container("istio-proxy", (15020, "metrics"), (15021, "status-port"), (15090, "http-envoy-prom"))
    at = lambda n, **more: {"ip": f"127.40.3.{n}", "annotations": ISTIO_ANNOTATIONS, **more}
    bed.api.put(pod("classic", containers=[container("application", 9080, (9090, "udp", "UDP")), proxy], init=[init], **at(1)),
                pod("native", containers=[container("application")], init=[init, native], **at(2)),
                pod("waypoint", containers=[waypoint], **at(3)),
                pod("ztunnel", containers=[container("istio-proxy", (15020, "ztunnel-stats"))], ip="127.40.3.4",
                    annotations={"prometheus.io/scrape": "true", "prometheus.io/port": "15020"}))
    wait_for_pods(bed.forwarder, ["classic", "native", "pod-1", "pod-2", "pod-3", "waypoint", "ztunnel"], "one target each")
    assert {address for _, address in scraped(bed.forwarder)} == {
        f"127.40.{p}.{n}:15020" for p, n in [(1, 1), (1, 2), (1, 3), (3, 1), (3, 2), (3, 3), (3, 4)]}
    urls = {t["discovered_labels"]["__meta_kubernetes_pod_name"]: t["url"] for t in bed.forwarder.targets()["targets"]}
    assert urls["ztunnel"].endswith(":15020/metrics") and urls["native"].endswith(":15020/stats/prometheus")
