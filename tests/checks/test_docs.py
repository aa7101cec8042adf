"""The documents: their links lead somewhere, their commands name what is there."""

import pathlib
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


def documents():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.split()
    return [ROOT / name for name in sorted(listed) if (ROOT / name).exists()]


def prose(text):
    """Without fenced blocks, in which brackets are no links and # begins no heading."""
    return re.sub(r"(?ms)^```.*?^```$", "", text)


def anchors(path):
    """As GitHub makes them of headings."""
    found = {}
    for heading in re.findall(r"(?m)^#+ +(.+?) *$", prose(path.read_text())):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = found.get(slug, 0)
        found[slug] = number + 1
        if number:
            found[f"{slug}-{number}"] = 1
    return set(found)


@pytest.mark.parametrize("document", documents(), ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    text = re.sub(r"`[^`\n]*`", "", prose(document.read_text()))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{document.name}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{document.name}: {link}"


def commands():
    """Lines of fenced blocks, continued ones joined."""
    for document in documents():
        for block in re.findall(r"(?ms)^```\w*\n(.*?)^```$", document.read_text()):
            for line in block.replace("\\\n", " ").splitlines():
                yield document, line


def test_commands_set_values_that_the_chart_has():
    values = yaml.safe_load((ROOT / "helm/ampari/values.yaml").read_text())
    seen = 0
    for document, line in commands():
        for key in re.findall(r"--set(?:-string|-json)?[ =]([\w.]+)=", line):
            seen += 1
            place = values
            for part in key.split("."):
                assert isinstance(place, dict) and part in place, f"{document.name}: {key}"
                place = place[part]
    assert seen > 5


def test_commands_name_files_that_are_there():
    seen = 0
    for document, line in commands():
        for name in re.findall(r"(?:--values|-f) (docs/\S+|helm/\S+)|(?<![\w./-])(script/[\w-]+)", line):
            seen += 1
            path = "".join(name)
            assert (ROOT / path).exists(), f"{document.name}: {path}"
    assert seen > 5


@pytest.mark.parametrize("program", ["forwarder", "gateway"])
def test_metrics_of_the_operations_guide_exist(program):
    text = (ROOT / "docs/operations.md").read_text()
    rows = re.search(rf"(?ms)^\| ampari_{program}_… \| \|\n\|---\|---\|\n(.*?)\n\n", text)[1].splitlines()
    names = [name for row in rows for name in re.findall(r"`(\w+)(?:\{\w+\})?`", row.split(" | ")[0])]
    sources = "".join(path.read_text() for path in (ROOT / program).rglob("*.cc"))
    assert len(names) > 25
    for name in names:
        short = re.sub(r"^(store|intake|delivery|kubernetes|log)_", "", name)
        assert re.search(rf'"(?:ampari_{program}_)?(?:{name}|{short})"', sources), name
