"""A real istiod, and what connects real Envoys to it."""

import pathlib

from .envoy import NETWORK
from .process import Process, fetch, free_port, wait_until
from .programs import CACHE, write_yaml

BINARIES = ("pilot-discovery", "envoy")
MONITORING_PORT = 15014
NAMESPACE = "istio-system"


class Istiod:
    """pilot-discovery on an API server, with its metrics at `address`, which is one of loopback and its pod's."""

    def __init__(self, directory, kubeconfig, address=f"{NETWORK}.0.100"):
        directory = pathlib.Path(directory)
        self.address, self.grpc_port, http_port = address, free_port(), free_port()
        mesh = directory / "mesh-config.yaml"
        write_yaml(mesh, {"enablePrometheusMerge": True})
        self.ready_url = f"http://127.0.0.1:{http_port}/ready"
        self.metrics_url = f"http://{address}:{MONITORING_PORT}/metrics"
        self.process = Process("istiod", [
            CACHE / "bin/pilot-discovery", "discovery", "--kubeconfig", kubeconfig, "--meshConfig", mesh, "--grpcAddr", f"127.0.0.1:{self.grpc_port}",
            "--monitoringAddr", f"{address}:{MONITORING_PORT}", "--httpAddr", f"127.0.0.1:{http_port}", "--secureGRPCAddr", "", "--httpsAddr", "",
            "--ctrlz_port", "0"], directory, {"POD_NAMESPACE": NAMESPACE, "POD_NAME": "istiod-0"})

    def start(self):
        self.process.start()
        wait_until(lambda: fetch(self.ready_url)[0] == 200, "istiod is ready", process=self.process, every=0.2)
        return self

    def page(self):
        status, body = fetch(self.metrics_url)
        assert status == 200, body
        return body.decode()

    def pushes(self):
        """{type: pushes} of its own page."""
        head = 'pilot_xds_pushes{type="'
        lines = [line for line in self.page().splitlines() if line.startswith(head)]
        return {line[len(head):line.index('"}')]: float(line.rsplit(" ", 1)[1]) for line in lines}


def connected(istiod, namespace="default"):
    """For EnvoyMesh: its Envoys take clusters and listeners from istiod."""
    cluster = {"name": "xds-grpc", "type": "STATIC", "connect_timeout": "1s",
               "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                   "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                   "explicit_http_config": {"http2_protocol_options": {}}}},
               "load_assignment": {"cluster_name": "xds-grpc", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {
                   "socket_address": {"address": "127.0.0.1", "port_value": istiod.grpc_port}}}}]}]}}
    source = {"ads": {}, "resource_api_version": "V3"}

    def extend(config, pod, address):
        config["node"] = {"id": f"sidecar~{address}~{pod}.{namespace}~{namespace}.svc.cluster.local", "cluster": f"{pod}.{namespace}",
                          "metadata": {"NAMESPACE": namespace, "NAME": pod, "CLUSTER_ID": "Kubernetes", "INTERCEPTION_MODE": "NONE"}}
        config["static_resources"]["clusters"].append(cluster)
        config["dynamic_resources"] = {
            "ads_config": {"api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [{"envoy_grpc": {"cluster_name": "xds-grpc"}}]},
            "cds_config": source, "lds_config": source}
    return extend
