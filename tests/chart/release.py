"""The chart as a release on a real API server."""

import base64
import os
import re
import shutil
import subprocess

import pytest

from chart import CHART, need, set_flags, values_file
from stack.control_plane import unavailable_reason

need("helm")
if unavailable_reason():
    pytest.skip(unavailable_reason(), allow_module_level=True)
GENERATED = ("ampari-forwarder-tokens", "ampari-ca", "ampari-gateway-tls")


class Release:
    """One release in a namespace of its own. The chart is a copy without kubeVersion: an API server built from its modules calls itself
    0.0.0."""

    def __init__(self, api, namespace):
        self.api, self.namespace = api, namespace
        api.create_namespace(namespace)
        self.chart = api.directory / "chart"
        if not self.chart.exists():
            shutil.copytree(CHART, self.chart)
            file = self.chart / "Chart.yaml"
            file.write_text(re.sub(r"^kubeVersion:.*$", "", file.read_text(), flags=re.M))

    def helm(self, *arguments, fails=False):
        home = str(self.api.directory)
        done = subprocess.run(
            [need("helm"), "--kubeconfig", f"{home}/kubeconfig", "--namespace", self.namespace, *arguments], capture_output=True, text=True,
            env={**os.environ, "HELM_CACHE_HOME": home, "HELM_CONFIG_HOME": home, "HELM_DATA_HOME": home})
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stderr if fails else done.stdout

    def upgrade(self, *settings, values=values_file("one-cluster"), fails=False):
        return self.helm("upgrade", "--install", "ampari", str(self.chart), "--values", str(values), *set_flags(settings), fails=fails)

    def path(self, group, kind, name=""):
        return f"/{group}/namespaces/{self.namespace}/{kind}" + (f"/{name}" if name else "")

    def secret(self, name):
        data = self.api.ask("GET", self.path("api/v1", "secrets", name))["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def found(self, name):
        """As secret(); {} where there is none."""
        return self.secret(name) if self.api.get(self.path("api/v1", "secrets", name))[0] == 200 else {}

    def generated(self):
        return {name: self.secret(name) for name in GENERATED}
