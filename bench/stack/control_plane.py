"""A real Kubernetes API server on etcd, on loopback, without nodes: pods are what a test says they are."""

import base64
import json
import pathlib
import ssl
import subprocess
import urllib.error
import urllib.request

from .process import Process, fetch, free_port, wait_until
from .programs import CACHE, write_yaml

ADMIN_TOKEN = "admin-of-this-test"
BINARIES = ("etcd", "kube-apiserver")


def unavailable_reason(*binaries, name="kubernetes"):
    """Why there is none here; empty when there is."""
    missing = [b for b in binaries or BINARIES if not (CACHE / "bin" / b).exists()]
    noted = [CACHE / f"{'istiod' if b == 'pilot-discovery' else b}.skipped" for b in missing]
    notes = [note.read_text().strip() for note in noted if note.exists()]
    return f"no {', '.join(missing)}: script/counterparts {name} {' '.join(notes)}".strip() if missing else ""


class ControlPlane:
    """etcd and kube-apiserver. `certificate` (cert, key) is the server's, signed by the authority in the file `ca`."""

    def __init__(self, directory, certificate, ca):
        self.directory, self.ca = pathlib.Path(directory), pathlib.Path(ca)
        self.etcd_port, self.port = free_port(), free_port()
        self.url, self.etcd_url = f"https://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.etcd_port}"
        self._trust = ssl.create_default_context(cafile=str(ca))
        tokens = self.directory / "api-tokens.csv"
        tokens.write_text(f'{ADMIN_TOKEN},admin,admin,"system:masters"\n')
        key = self.directory / "service-accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        peers = f"http://127.0.0.1:{free_port()}"
        self.etcd = Process("etcd", [
            CACHE / "bin/etcd", "--data-dir", self.directory / "etcd-data", "--listen-client-urls", self.etcd_url,
            "--advertise-client-urls", self.etcd_url, "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
            "--initial-cluster", f"default={peers}", "--unsafe-no-fsync", "--log-level", "warn"], self.directory)
        cert, private = certificate
        self.api = Process("kube-apiserver", [
            CACHE / "bin/kube-apiserver", f"--etcd-servers={self.etcd_url}", f"--secure-port={self.port}", "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none", f"--tls-cert-file={cert}", f"--tls-private-key-file={private}",
            f"--cert-dir={self.directory}", f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc", f"--token-auth-file={tokens}", "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24", "--disable-admission-plugins=ServiceAccount"], self.directory)

    def start(self):
        self.etcd.start()
        wait_until(lambda: fetch(f"{self.etcd_url}/health")[0] == 200, "etcd is healthy", process=self.etcd)
        return self.start_api()

    def start_api(self):
        self.api.start()
        wait_until(lambda: self._ask("GET", "/readyz")[0] == 200, "the API server is ready", process=self.api, every=0.2)
        return self

    def stop(self, seconds=5):
        self.api.stop(seconds)
        self.etcd.stop(seconds)

    # --- requests

    def _ask(self, method, path, value=None, content_type="application/json", token=ADMIN_TOKEN):
        body = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(self.url + path, data=body, method=method, headers={
            "Authorization": f"Bearer {token}", **({"Content-Type": content_type} if body else {})})
        try:
            with urllib.request.urlopen(request, timeout=30, context=self._trust) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except (urllib.error.URLError, OSError) as error:
            return 0, str(error).encode()

    def ask(self, method, path, value=None, **options):
        """The answer's object; fails on any error."""
        status, body = self._ask(method, path, value, **options)
        assert status in (200, 201, 202), f"{method} {path}: {status} {body[:2000]!r}"
        return json.loads(body)

    def get(self, path, token=None):
        """(status, body), with somebody else's token if given."""
        return self._ask("GET", path, token=token or ADMIN_TOKEN)

    # --- what the cluster holds

    def create_namespace(self, name):
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})

    def create_pod(self, pod):
        """As a scheduler, a controller and a kubelet together would have it: the spec, then the status."""
        base = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods"
        self.ask("POST", base, {k: v for k, v in pod.items() if k != "status"})
        if pod.get("status"):
            self.patch_status(pod["metadata"]["name"], pod["status"], pod["metadata"]["namespace"])

    def patch_pod(self, name, change, namespace="default", subresource=""):
        self.ask("PATCH", f"/api/v1/namespaces/{namespace}/pods/{name}{subresource}", change,
                 content_type="application/merge-patch+json")

    def patch_status(self, name, status, namespace="default"):
        self.patch_pod(name, {"status": status}, namespace, "/status")

    def delete_pod(self, name, namespace="default", grace_seconds=0):
        """Without a kubelet a pod with a grace period stays as terminating."""
        self.ask("DELETE", f"/api/v1/namespaces/{namespace}/pods/{name}", {"gracePeriodSeconds": grace_seconds})

    def service_account(self, name, rules, namespace="default"):
        """A service account that may do what the rules say, in all namespaces. Its token."""
        self.ask("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        self.ask("POST", f"{rbac}/clusterroles", {"metadata": {"name": name}, "rules": rules})
        self.ask("POST", f"{rbac}/clusterrolebindings", {
            "metadata": {"name": name}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]})
        answer = self.ask("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
                          {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})
        return answer["status"]["token"]

    def kubeconfig(self, file, token=ADMIN_TOKEN):
        write_yaml(file, {
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {
                "server": self.url, "certificate-authority-data": base64.b64encode(self.ca.read_bytes()).decode()}}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]})
        return file

    # --- faults

    def forget_history(self):
        """Other objects change, and etcd drops every revision but the newest: from older ones nothing can be watched any more, as
        soon as the API server has lost what it remembers."""
        for number in range(3):
            self.ask("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"generateName": f"filler-{number}-"}})
        key = base64.b64encode(b"/").decode()
        status, body = fetch(f"{self.etcd_url}/v3/kv/range", json.dumps({"key": key}).encode())
        assert status == 200, body
        revision = json.loads(body)["header"]["revision"]
        status, body = fetch(f"{self.etcd_url}/v3/kv/compaction", json.dumps({"revision": revision, "physical": True}).encode())
        assert status == 200, body

    def restart_api(self, meanwhile=lambda: None):
        self.api.kill()
        meanwhile()
        return self.start_api()
