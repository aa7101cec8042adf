"""Renders for each set of values: as the golden file has it, valid for Kubernetes, every value described and tried.

AMPARI_UPDATE_GOLDEN=1 writes the golden files, and the table of values in the chart's README, anew.
"""

import json
import os
import re
import subprocess

import pytest
import yaml

import chart
from chart import CHART, EXAMPLES, HERE, VALUES, need, render, render_text
from values_table import leaves, readme_with_table

UPDATE = os.environ.get("AMPARI_UPDATE_GOLDEN") == "1"
FOREIGN_KINDS = {"ServiceMonitor", "PodMonitor", "PrometheusRule", "Certificate"}  # of other projects' definitions
KUBERNETES_VERSIONS = ("1.27", "1.37")


def masked(text):
    """Generated secrets differ at every render."""
    parts = re.split(r"^---$", text, flags=re.M)
    secret = re.compile(r"^(  [\w.-]+: )[A-Za-z0-9+/=]{60,}$", re.M)
    return "---".join(secret.sub(r"\1<generated>", p) if "\nkind: Secret\n" in p else p for p in parts)


@pytest.mark.parametrize("values", VALUES, ids=lambda p: p.stem)
def test_golden(helm, values):
    golden = HERE / "golden" / values.name
    text = masked(render_text(values))
    if UPDATE:
        golden.write_text(text)
    assert golden.exists(), f"{golden} is missing: AMPARI_UPDATE_GOLDEN=1 writes it"
    assert text == golden.read_text(), "if the change is meant: AMPARI_UPDATE_GOLDEN=1"


def test_no_golden_without_values():
    assert {p.name for p in (HERE / "golden").glob("*")} == {p.name for p in VALUES}


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
def test_valid_for_kubernetes(helm, version, tmp_path):
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


def test_the_validator_refuses_what_is_wrong(helm, tmp_path):
    objects = render(chart.values_file("one-cluster"))
    text = yaml.safe_dump_all(objects).replace("securityContext:", "securityContex:", 1)
    (tmp_path / "wrong.yaml").write_text(text)
    done = subprocess.run([need("kubernetes-validate"), "--strict", str(tmp_path / "wrong.yaml")], capture_output=True)
    assert done.returncode != 0


@pytest.mark.parametrize("values", VALUES + EXAMPLES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_objects_are_ours(helm, values):
    for found in render(values):
        kind, name = found["kind"], found["metadata"]["name"]
        if kind == "ConfigMap" and name.endswith("-extra"):
            continue
        assert len(name) <= 63
        assert found["metadata"]["labels"]["app.kubernetes.io/instance"] == "ampari"
        cluster_wide = kind in ("ClusterRole", "ClusterRoleBinding")
        assert ("namespace" in found["metadata"]) != cluster_wide, (kind, name)


def test_lint(helm):
    done = subprocess.run([helm, "lint", "--strict", str(CHART), "--values", str(chart.values_file("one-cluster"))],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def schema_leaves(schema, at=""):
    properties = schema.get("properties")
    if not properties or schema.get("additionalProperties") is not False:
        yield at
        return
    for key, child in properties.items():
        yield from schema_leaves(child, f"{at}.{key}" if at else key)


def test_schema_and_values_name_the_same():
    schema = json.loads((CHART / "values.schema.json").read_text())
    described = {path for path, _, _ in leaves((CHART / "values.yaml").read_text())}
    of_schema = set(schema_leaves(schema)) - {"global"}
    covered = {leaf for leaf in of_schema if any(leaf == d or leaf.startswith(d + ".") for d in described)}
    assert of_schema - covered == set(), "in the schema alone"
    assert {d for d in described if not any(leaf == d or leaf.startswith(d + ".") for leaf in of_schema)} == set(), \
        "in values.yaml alone"


def lookup(values, path):
    for key in path.split("."):
        if not isinstance(values, dict) or key not in values:
            return None
        values = values[key]
    return values


def test_every_option_is_tried():
    tried = [yaml.safe_load(p.read_text()) for p in VALUES]
    untried = [path for path, default, _ in leaves((CHART / "values.yaml").read_text())
               if all(lookup(v, path) in (None, default) for v in tried)]
    assert untried == []


def test_readme_lists_every_value():
    readme = CHART / "README.md"
    wanted = readme_with_table(readme.read_text(), (CHART / "values.yaml").read_text())
    if UPDATE:
        readme.write_text(wanted)
    assert readme.read_text() == wanted, "AMPARI_UPDATE_GOLDEN=1 writes the table anew"


def test_alerts_are_those_of_the_documentation():
    documented = chart.ROOT / "docs" / "alerts.yaml"
    assert (CHART / "files" / "alerts.yaml").read_text() == documented.read_text(), \
        "cp docs/alerts.yaml helm/ampari/files/alerts.yaml"


def test_version_is_that_of_the_programs():
    project = re.search(r"project\(ampari VERSION (\S+)", (chart.ROOT / "CMakeLists.txt").read_text()).group(1)
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == project


@pytest.mark.parametrize("values, groups", [
    ("every-option", {"ampari-forwarder", "ampari-gateway"}),
    ("hub", {"ampari-gateway"}),
    ("spoke", {"ampari-forwarder"}),
])
def test_rules_of_what_is_installed(helm, values, groups):
    rule = chart.one(render(chart.values_file(values), "--set", "monitoring.prometheusRule.enabled=true"), "PrometheusRule")
    assert {g["name"] for g in rule["spec"]["groups"]} == groups
    for group in rule["spec"]["groups"]:
        assert group["rules"]
