"""Log jobs as the region's documentation writes them for Alloy, on an API server: every kind of pod's lines, to the last one."""

from cluster import NODE
from kubernetes_api import KubernetesApi
from logs import LogChain, all_lines, files, log_rules
from pod_objects import container, pod

from stack.pod_logs import PodLog
from stack.process import free_port, wait_until


class Cluster:
    """One node's pods, known to an API server, and the chain that ships their lines."""

    def __init__(self, chain, **job):
        self.api = chain.own(KubernetesApi(port=free_port(), bookmark_seconds=0.5))
        root = chain.directory / "pods"
        self.logs = LogChain(chain, forwarder={"node": NODE, "log_configs": [{
            "job_name": "integrations/istio", "kubernetes_sd_configs": [{"role": "pod", "api_server": self.api.url}],
            "relabel_configs": log_rules(root), "start": "beginning", **job}]})
        self.pods = self.logs.pods

    def run(self, name, directory_uid, *containers, node=NODE, uid=None, **options):
        """A pod in the API, and the files of its containers."""
        wanted = pod(name, node=node, **options)
        wanted["metadata"]["uid"] = uid or directory_uid
        self.api.put(wanted)
        made = [PodLog(self.pods.root, "default", name, directory_uid, each) for each in containers]
        self.pods.logs += made
        return made

    def paths(self):
        return {path for path, file in files(self.logs.forwarder).items() if not file["gone"]}


def containers_in_region(cluster):
    return {(labels["pod"], labels["container"]) for labels, *_ in all_lines(cluster.logs.region)}


def test_every_kind_of_pod(chain):
    cluster = Cluster(chain)
    sidecar = container("istio-proxy", (15090, "http-envoy-prom"), (15020, "merged"), restart_policy="Always")
    cluster.run("plain", "uid-plain", "application", "istio-proxy", containers=[container("application", 9080, 9443), container("istio-proxy", 15090)])
    cluster.run("native", "uid-native", "istio-init", "istio-proxy", "application", init=[container("istio-init"), sidecar])
    cluster.run("etcd-node-1", "0123456789abcdef0123456789abcdef", "etcd", uid="uid-of-the-mirror", containers=[container("etcd")], annotations={
        "kubernetes.io/config.hash": "0123456789abcdef0123456789abcdef", "kubernetes.io/config.mirror": "0123456789abcdef0123456789abcdef",
        "kubernetes.io/config.source": "file"})
    cluster.run("job", "uid-job", "application", phase="Succeeded", ready="False")
    cluster.run("portless", "uid-portless", "worker", containers=[container("worker")])
    elsewhere = PodLog(cluster.pods.root, "default", "elsewhere", "uid-elsewhere", "application")
    cluster.api.put({**pod("elsewhere", node="node-2"), "metadata": {"name": "elsewhere", "namespace": "default", "uid": "uid-elsewhere"}})
    elsewhere.write("of another node's pod, whose directory is not here in a real cluster")
    cluster.pods.write(10)
    cluster.logs.wait()
    for log in cluster.pods.logs[::2]:
        log.restart()
    cluster.pods.write(10)
    cluster.logs.wait()
    cluster.logs.forwarder.process.kill()
    cluster.pods.write(10)
    cluster.logs.forwarder.start()
    cluster.logs.finish()
    assert containers_in_region(cluster) == {(log.pod, log.container) for log in cluster.pods.logs}
    labels = all_lines(cluster.logs.region)[0][0]
    assert labels["job"] == "integrations/istio" and labels["namespace"] == "default", labels


def test_a_pod_that_goes_is_read_to_its_end(chain):
    cluster = Cluster(chain)
    cluster.run("stays", "uid-stays", "application")
    (goes,) = cluster.run("goes", "uid-goes", "application")
    cluster.pods.write(10)
    cluster.logs.wait()
    cluster.api.delete("goes")
    goes.write(*cluster.pods.lines(10))  # its last words, when the API has forgotten it
    goes.restart()
    goes.write(*cluster.pods.lines(10))
    cluster.logs.wait()
    goes.delete()
    wait_until(lambda: not any("default_goes_" in path for path in cluster.paths()), "its files are followed no more", process=cluster.logs.forwarder.process)
    (again,) = cluster.run("goes", "uid-goes-again", "application")
    again.write(*cluster.pods.lines(10))
    cluster.logs.finish()


def test_pods_come_and_go_while_the_api_is_away(chain):
    """What is known is followed on."""
    cluster = Cluster(chain)
    cluster.run("known", "uid-known", "application")
    cluster.pods.write(10)
    cluster.logs.wait()
    cluster.api.down()
    cluster.pods.write(10)
    cluster.logs.wait()
    cluster.api.up()
    cluster.run("new", "uid-new", "application")
    cluster.pods.write(10)
    cluster.logs.finish()
