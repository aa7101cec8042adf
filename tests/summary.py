"""The closing summary of script/test: counts from JUnit reports, real counterparts that were left out, failed steps."""

import os
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def count(report):
    """Passed, failed and skipped tests of one JUnit file, and the reasons of the skipped ones."""
    passed = failed = 0
    skipped = []
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif skip is not None or case.get("result") == "skipped":
            reason = (skip.get("message") or "") if skip is not None else ""
            skipped.append((name, reason.strip().replace("\n", " ")))
        elif case.get("status") == "notrun":
            continue
        else:
            passed += 1
    return passed, failed, skipped


def left_out():
    """Counterparts that script/counterparts could not install, with the command it tried."""
    default = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "ampari"
    cache = pathlib.Path(os.environ.get("AMPARI_CACHE", default))
    return {path.stem: path.read_text().strip() for path in sorted(cache.glob("*.skipped"))}


def main():
    reports, seconds, failed_steps = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    passed = failed = 0
    skipped = []
    for report in sorted(reports.rglob("*.xml")):
        counts = count(report)
        passed, failed, skipped = passed + counts[0], failed + counts[1], skipped + counts[2]
    print("\nSummary")
    for name, reason in skipped:
        print(f"  skipped: {name}: {reason}")
    for name, text in left_out().items():
        print(f"  counterpart not available: {name}")
        for line in text.splitlines():
            print(f"    {line}")
    for name in failed_steps:
        print(f"  FAILED step: {name}")
    print(f"  {seconds // 60} min {seconds % 60} s")
    if failed_steps and not failed:
        failed = len(failed_steps)
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
