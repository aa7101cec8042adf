"""Renders for each set of values: as the golden file has it, and valid for Kubernetes.

AMPARI_UPDATE_GOLDEN=1 writes the golden files anew.
"""

import os
import re
import subprocess

import pytest
import yaml

import chart
from chart import CHART, EXAMPLES, HERE, VALUES, need, render, render_text

need("helm")
UPDATE = os.environ.get("AMPARI_UPDATE_GOLDEN") == "1"
FOREIGN_KINDS = {"ServiceMonitor", "PodMonitor", "PrometheusRule", "Certificate"}  # of other projects' definitions
KUBERNETES_VERSIONS = ("1.27", "1.37")


def masked(text):
    """Generated secrets differ at every render."""
    parts = re.split(r"^---$", text, flags=re.M)
    secret = re.compile(r"^(  [\w.-]+: )[A-Za-z0-9+/=]{60,}$", re.M)
    return "---".join(secret.sub(r"\1<generated>", p) if "\nkind: Secret\n" in p else p for p in parts)


@pytest.mark.parametrize("values", VALUES, ids=lambda p: p.stem)
def test_golden(values):
    golden = HERE / "golden" / values.name
    text = masked(render_text(values))
    if UPDATE:
        golden.write_text(text)
    assert golden.exists(), f"{golden} is missing: AMPARI_UPDATE_GOLDEN=1 writes it"
    assert text == golden.read_text(), "if the change is meant: AMPARI_UPDATE_GOLDEN=1"


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
def test_valid_for_kubernetes(version, tmp_path):
    files, count = [], 0
    for values in VALUES + EXAMPLES:
        ours = [o for o in render(values) if o["kind"] not in FOREIGN_KINDS]
        count += len(ours)
        files.append(tmp_path / f"{values.parent.name}-{values.name}")
        files[-1].write_text(yaml.safe_dump_all(ours))
    done = subprocess.run([need("kubernetes-validate"), "--strict", "--kubernetes-version", version, *files],
                          capture_output=True, text=True)
    output = done.stdout + done.stderr
    assert done.returncode == 0, "\n".join(line for line in output.splitlines() if " passed for resource " not in line)
    assert output.count(" passed for resource ") == count


def test_the_validator_refuses_what_is_wrong(tmp_path):
    objects = render(chart.values_file("one-cluster"))
    text = yaml.safe_dump_all(objects).replace("securityContext:", "securityContex:", 1)
    (tmp_path / "wrong.yaml").write_text(text)
    done = subprocess.run([need("kubernetes-validate"), "--strict", str(tmp_path / "wrong.yaml")], capture_output=True)
    assert done.returncode != 0


@pytest.mark.parametrize("values", VALUES + EXAMPLES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_objects_are_ours(values):
    for found in render(values):
        kind, name = found["kind"], found["metadata"]["name"]
        if kind == "ConfigMap" and name.endswith("-extra"):
            continue
        assert len(name) <= 63
        assert found["metadata"]["labels"]["app.kubernetes.io/instance"] == "ampari"
        cluster_wide = kind in ("ClusterRole", "ClusterRoleBinding")
        assert ("namespace" in found["metadata"]) != cluster_wide, (kind, name)


def test_lint():
    done = subprocess.run([need("helm"), "lint", "--strict", str(CHART), "--values", str(chart.values_file("one-cluster"))],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("values, groups", [
    ("every-option", {"ampari-forwarder", "ampari-gateway"}),
    ("hub", {"ampari-gateway"}),
    ("spoke", {"ampari-forwarder"}),
])
def test_rules_of_what_is_installed(values, groups):
    rule = chart.one(render(chart.values_file(values), "--set", "monitoring.prometheusRule.enabled=true"), "PrometheusRule")
    assert {g["name"] for g in rule["spec"]["groups"]} == groups
    for group in rule["spec"]["groups"]:
        assert group["rules"]
