"""The rendered configurations are accepted by the programs themselves, with the files that the pods mount."""

import os
import subprocess

import pytest
import yaml

from chart import BUILD, EXAMPLES, VALUES, need, render, set_flags, values_file
from mounts import mount
need("helm")


def program(name):
    path = BUILD / name / f"ampari-{name}"
    if not path.exists():
        pytest.skip(f"{path} is not built")
    return path


def check(values, settings, kind, name, root):
    objects = render(values, *settings)
    workload = next((o for o in objects if o["kind"] == kind), None)
    if workload is None:
        return None
    pod = workload["spec"]["template"]
    file = root / f"{name}.yaml"
    file.write_text(mount(pod, objects, root))
    flags = [a for a in pod["spec"]["containers"][0]["args"] if not a.startswith("--config.file")]
    return subprocess.run([program(name), f"--config.file={file}", *flags, "check-config"], capture_output=True, text=True,
                          env={**os.environ, "NODE_NAME": "node-1"})


@pytest.mark.parametrize("name, kind", [("gateway", "StatefulSet"), ("forwarder", "DaemonSet")])
@pytest.mark.parametrize("values", VALUES + EXAMPLES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_accepted(values, name, kind, tmp_path):
    done = check(values, (), kind, name, tmp_path)
    if done is not None:  # else: not a part of this layout
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("settings", [[], ["forwarder.logs.enabled=true", "region.logs.url=https://logs.example.com/loki/api/v1/push"]],
                         ids=["metrics", "logs"])
def test_the_default_configurations_have_no_warnings(settings, tmp_path):
    for name, kind in (("gateway", "StatefulSet"), ("forwarder", "DaemonSet")):
        done = check(values_file("one-cluster"), set_flags(settings), kind, name, tmp_path)
        assert done.returncode == 0 and "warning" not in done.stdout + done.stderr, done.stdout + done.stderr


def test_what_is_wrong_is_refused_by_the_program(tmp_path):
    done = check(values_file("one-cluster"), set_flags(['forwarder.scrapeConfigs=[{"job_name": "x", "scrape_intervall": "1s"}]']),
                 "DaemonSet", "forwarder", tmp_path)
    assert done.returncode == 3 and "scrape_intervall" in done.stderr


@pytest.mark.parametrize("number", [999999, 1000000, 123456789])
def test_large_numbers_arrive(number, tmp_path):
    values = tmp_path / "values.yaml"
    text = yaml.safe_load(values_file("one-cluster").read_text())
    text["forwarder"] = {"scrapeConfigs": [{"job_name": "x", "sample_limit": number, "static_configs": [{"targets": ["a:1"]}]}]}
    values.write_text(yaml.safe_dump(text))
    done = check(values, (), "DaemonSet", "forwarder", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
