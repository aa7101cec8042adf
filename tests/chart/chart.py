"""Renders the chart with a real Helm."""

import functools
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "ampari"
HERE = pathlib.Path(__file__).resolve().parent
VALUES = sorted((HERE / "values").glob("*.yaml"))
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*/values*.yaml"))
CACHE = pathlib.Path(os.environ.get("AMPARI_CACHE", pathlib.Path(
    os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "ampari"))
BUILD = pathlib.Path(os.environ.get("AMPARI_BUILD", ROOT / "build" / "release"))
OLDEST_KUBERNETES = "1.27.0"  # kubeVersion of Chart.yaml


def tool(name):
    found = CACHE / "bin" / name
    return str(found) if found.exists() else shutil.which(name)


def need(name):
    path = tool(name)
    if path is None:
        pytest.skip(f"no {name} here: script/counterparts helm", allow_module_level=True)
    return path


def set_flags(settings):
    """Helm's flags for texts such as a.b=1, a.b={x,y}, and a.b=[{"c": 1}] as JSON."""
    return [a for s in settings for a in ("--set-json" if re.match(r'[\w.\[\]]+=(\[|\{")', s) else "--set", s)]


def run_template(*arguments, chart=CHART, release="ampari"):
    return subprocess.run([need("helm"), "template", release, str(chart), "--namespace", "ampari",
                           "--kube-version", OLDEST_KUBERNETES, *arguments], capture_output=True, text=True)


@functools.cache
def render_text(values, *settings):
    """The manifests as Helm prints them; `values` is a file."""
    done = run_template("--values", str(values), *settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


@functools.cache
def render(values, *settings):
    """The objects."""
    documents = [d for d in yaml.safe_load_all(render_text(values, *settings)) if d]
    names = {(d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"]) for d in documents}
    assert len(names) == len(documents), "two objects of one kind and name"
    return documents


def of_kind(objects, kind):
    return {o["metadata"]["name"]: o for o in objects if o["kind"] == kind}


def one(objects, kind):
    found = [o for o in objects if o["kind"] == kind]
    assert len(found) == 1, f"{len(found)} objects of kind {kind}"
    return found[0]


def values_file(name):
    return HERE / "values" / f"{name}.yaml"
