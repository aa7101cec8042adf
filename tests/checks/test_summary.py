"""What the closing summary counts as passed, failed and skipped."""

import importlib.util
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("summary", ROOT / "tests" / "summary.py")
summary = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(summary)


@pytest.mark.parametrize("case, counted", [
    ('<testcase name="a" classname="S" status="run" result="completed"/>', (1, 0, [])),
    ('<testcase name="a" classname="S"><failure message="no"/></testcase>', (0, 1, [])),
    ('<testcase name="a" classname="S"><error message="no"/></testcase>', (0, 1, [])),
    ('<testcase name="a" classname="S" status="run" result="skipped"><skipped message="no tool"/></testcase>',
     (0, 0, [("S.a", "no tool")])),
    # A disabled test is the child of another one: nothing was left out.
    ('<testcase name="DISABLED_a" classname="S" status="notrun" result="suppressed"/>', (0, 0, [])),
])
def test_counts(tmp_path, case, counted):
    report = tmp_path / "report.xml"
    report.write_text(f"<testsuites><testsuite>{case}</testsuite></testsuites>")
    assert summary.count(report) == counted


def test_disabled_tests_are_started_by_their_parents():
    """A disabled test that nobody starts would be a test left out without a word."""
    idle = []
    for path in sorted((ROOT / "tests").rglob("*.cc")):
        text = path.read_text()
        if re.search(r"\bDISABLED_", text) and "--gtest_also_run_disabled_tests" not in text:
            idle.append(str(path.relative_to(ROOT)))
    assert not idle
