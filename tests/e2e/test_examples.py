"""docs/examples: the programs load every configuration, without a warning; the documented block gets the hints that install.md shows."""

import pathlib
import re

import pytest
import yaml

from stack.programs import BUILD, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs/examples"
BLOCK = EXAMPLES / "documented-block"
PROGRAMS = sorted(p for p in EXAMPLES.glob("*/*.yaml") if p.stem in ("gateway", "forwarder"))
SECTIONS = {"gateway": "{address: \"127.0.0.1:4750\", insecure: true}", "storage": "{directory: /var/lib/ampari}",
            "grpc": "{listen_address: \"127.0.0.1:4750\", insecure: true}"}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("NODE_NAME", "node-1")
    monkeypatch.setenv("REGION_TOKEN", "token")


def check(program, file, command="check-config"):
    return run([BUILD / program / f"ampari-{program}", f"--config.file={file}", command])


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_programs_load_it(file):
    code, _, errors = check(file.stem, file)
    assert code == 0, errors
    assert "warning" not in errors.lower(), errors
    code, printed, errors = check(file.stem, file, "print-config")
    assert code == 0, errors
    assert yaml.safe_load(printed)


def test_every_layout_has_both_forms():
    for layout in ("access-logs", "one-cluster", "hub-and-spokes", "two-regions"):
        names = {p.name for p in (EXAMPLES / layout).glob("*.yaml")}
        assert {"gateway.yaml", "forwarder.yaml"} <= names and any(n.startswith("values") for n in names), layout


def test_clusters_get_their_labels_by_their_token():
    hub = yaml.safe_load((EXAMPLES / "hub-and-spokes/gateway.yaml").read_text())
    entries = [entry for tenant in hub["tenants"] for entry in tenant["forwarders"]]
    assert len({entry["labels"]["cluster"] for entry in entries}) == len(entries) >= 3
    assert len({entry["token_file"] for entry in entries}) == len(entries)


def with_sections(text):
    return text + "".join(f"{name}: {value}\n" for name, value in SECTIONS.items())


def test_the_documented_block_loads_and_is_told_what_it_lacks(tmp_path):
    file = tmp_path / "ampari.yaml"
    file.write_text(with_sections((BLOCK / "as-documented.yaml").read_text()))
    assert check("gateway", file)[0] == 0
    code, out, errors = check("forwarder", file)
    assert code == 0, errors
    hints = re.findall(r"(?m)^ +- (\{source_labels: .+\})$", out + errors)
    assert len(hints) == 3, out + errors
    completed = (BLOCK / "completed.yaml").read_text()
    for hint in hints:
        assert f"- {hint}" in completed, hint
    pasted = file.read_text().replace('        regex: "true"\n', '        regex: "true"\n' + "".join(f"      - {h}\n" for h in hints))
    file.write_text(pasted)
    code, out, errors = check("forwarder", file)
    assert code == 0 and "relabel_configs" not in out + errors, out + errors


def test_the_completed_block_is_for_both_programs():
    for program in ("gateway", "forwarder"):
        code, out, errors = check(program, BLOCK / "completed.yaml")
        assert code == 0 and "relabel_configs" not in out + errors, out + errors


def test_install_shows_what_check_config_says(tmp_path):
    file = tmp_path / "ampari.yaml"
    file.write_text(with_sections((BLOCK / "as-documented.yaml").read_text()))
    _, out, errors = check("forwarder", file)
    said = [line.replace(str(file), "ampari.yaml") for line in (errors + out).splitlines()]
    install = (ROOT / "docs/install.md").read_text()
    shown = re.search(r"<!-- check-config of as-documented.yaml -->\n```\n(.+?)```\n<!-- end -->", install, re.S)[1].splitlines()[1:]
    assert shown == said


def test_install_quotes_the_block():
    install = (ROOT / "docs/install.md").read_text()
    block = (BLOCK / "as-documented.yaml").read_text().split("\n", 1)[1]
    assert block in install
    completed = (BLOCK / "completed.yaml").read_text()
    for name, value in SECTIONS.items():
        line = next(line for line in install.splitlines() if line.startswith(f"{name}: "))
        assert value in line and line in completed
