"""values.yaml, its schema, its table in the README and the chart's copies agree; every option is tried by a set of values.

AMPARI_UPDATE_GOLDEN=1 writes the table of the README anew.
"""

import json
import os
import re

import yaml

import chart
from chart import CHART, HERE, VALUES
from values_table import leaves, readme_with_table

UPDATE = os.environ.get("AMPARI_UPDATE_GOLDEN") == "1"


def test_no_golden_without_values():
    assert {p.name for p in (HERE / "golden").glob("*")} == {p.name for p in VALUES}


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


def test_kube_version_is_stated():
    assert chart.OLDEST_KUBERNETES in yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]
