"""Style is a test: layering, include cycles, sizes, banned headers and names, loose files."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRODUCT = ("common", "forwarder", "gateway")
CODE = PRODUCT + ("bench", "tests")

MAX_HEADER_LINES = 260
MAX_SOURCE_LINES = 450
MAX_FUNCTION_LINES = 70
LINE_LIMITS = {"main.cc": 120, "forwarder/forwarder.cc": 250, "gateway/gateway.cc": 250}

# A folder may include only what is listed; a stage of a program meets its neighbours through these alone.
LAYERS = {
    "common/runtime": set(),
    "common/labels": {"common/runtime"},
    "common/relabel": {"common/labels", "common/runtime"},
    "common/frame": {"common/labels", "common/runtime"},
    "common/config": {"common/labels", "common/relabel", "common/runtime"},
    "common/http": {"common/config", "common/labels", "common/runtime"},
    "forwarder/scrape": {"common", "forwarder/shipping/shipment.h"},
    "forwarder/discovery": {"common", "forwarder/config.h", "forwarder/scrape/target.h", "forwarder/scrape/schedule.h", "forwarder/tail/log_target.h"},
    "forwarder/shipping": {"common"},
    "forwarder/tail": {"common", "forwarder/shipping/log_shipper.h"},
    "forwarder/canary": {"common", "forwarder/config.h", "forwarder/gateway_connection.h", "forwarder/shipping"},
    "forwarder": {"common", "forwarder"},
    "gateway/store": {"common"},
    "gateway/tenants": {"common", "gateway/config.h"},
    "gateway/intake": {"common", "gateway/config.h", "gateway/tenants", "gateway/store"},
    "gateway/layouts": {"common", "gateway/config.h", "gateway/store/record.h"},
    "gateway/remote_write": {"common", "gateway/config.h", "gateway/layouts", "gateway/store/record.h"},
    "gateway/loki": {"common", "gateway/config.h"},
    "gateway/delivery": {"common", "gateway/config.h", "gateway/layouts", "gateway/loki", "gateway/remote_write", "gateway/store"},
    "gateway/status": {"common", "gateway/config.h", "gateway/store", "gateway/delivery/destination.h", "gateway/layouts",
                       "gateway/intake", "gateway/tenants"},
    "gateway": {"common", "gateway"},
    "bench/region": {"common", "bench/region"},
    "bench/mesh": {"common", "bench/mesh"},
}

# Libraries whose headers stay in the sources of their owners.
OWNED_HEADERS = {
    r"grpc(pp)?/|\.grpc\.pb\.h": ("gateway/intake/", "forwarder/shipping/", "tests/", "bench/", "common/frame/"),
    r"rocksdb/": ("gateway/store/", "tests/", "bench/"),
    r"yaml-cpp/": ("common/config/", "tests/"),
    r"curl/": ("common/http/",),
    r"microhttpd": ("common/http/",),
    r"spdlog/": ("common/runtime/",),
    r"prometheus/(?!.*\.pb\.h)": ("common/runtime/",),
}
BANNED_INCLUDES = r"<regex>|absl/synchronization/mutex\.h|<format>|<expected>|<source_location>"
BANNED_FILE_NAMES = re.compile(r"(^|_)(utils?|helpers?|types|misc|common)(_|\.|$)")
BANNED_CLASS_NAMES = re.compile(
    r"^\s*(?:class|struct)\s+(?:\[\[nodiscard\]\]\s+)?(?:ABSL_\w+\s+)?(\w*(?:Manager|Helper|Handler|Processor|Context|Impl|Base|Data|Info))\b[^;]*\{")


def files(*suffixes, folders=CODE):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True,
                            text=True).stdout.split("\n")
    return sorted(f for f in listed
                  if f.endswith(suffixes) and f.split("/")[0] in folders and (ROOT / f).exists())


def includes(path):
    return re.findall(r'^\s*#include\s+"([^"]+)"', (ROOT / path).read_text(), re.M)


def is_ours(include):
    return (ROOT / include).exists()


def report(problems):
    assert not problems, "\n" + "\n".join(problems)


def allowed(path, include):
    folder = str(pathlib.PurePosixPath(path).parent)
    while folder not in LAYERS and "/" in folder:
        folder = folder.rsplit("/", 1)[0]
    if folder not in LAYERS or include.startswith(folder + "/"):
        return folder in LAYERS or folder.split("/")[0] not in PRODUCT
    return any(include == layer or include.startswith(layer + "/") for layer in LAYERS[folder])


def test_layering():
    report([f"{path} must not include {include}" for path in files(".h", ".cc", folders=PRODUCT + ("bench",))
            for include in includes(path) if is_ours(include) and not allowed(path, include)
            and not path.startswith(("bench/micro/", "bench/main"))])


def test_no_program_includes_the_other():
    report([f"{path} includes {include}" for path in files(".h", ".cc", folders=("forwarder", "gateway"))
            for include in includes(path) if include.split("/")[0] in {"forwarder", "gateway"} - {path.split("/")[0]}])


def test_no_include_cycle():
    graph = {path: [i for i in includes(path) if is_ours(i)] for path in files(".h")}
    done, problems = set(), []

    def visit(path, trail):
        if path in trail:
            problems.append(" -> ".join(trail[trail.index(path):] + [path]))
        elif path not in done:
            for include in graph.get(path, []):
                visit(include, trail + [path])
            done.add(path)

    for path in graph:
        visit(path, [])
    report(problems)


def test_file_lengths():
    problems = []
    for path in files(".h", ".cc"):
        lines = (ROOT / path).read_text().count("\n")
        limit = MAX_HEADER_LINES if path.endswith(".h") else MAX_SOURCE_LINES
        if path.startswith("tests/"):
            limit = 700
        limit = next((v for k, v in LINE_LIMITS.items() if path == k or path.endswith("/" + k)), limit)
        if lines > limit:
            problems.append(f"{path}: {lines} lines, at most {limit}")
    report(problems)


def strip_comments_and_strings(text):
    pattern = re.compile(r'R"(\w*)\((?:.|\n)*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*(?:.|\n)*?\*/')
    return pattern.sub(lambda m: "\n" * m.group().count("\n"), text)


def functions(text):
    """(line, length) of each body that follows a parameter list; namespaces, classes and initialisers are not counted."""
    stack, begin = [], 0
    line = 1
    for i, char in enumerate(text):
        if char == "\n":
            line += 1
        elif char == "{":
            head = text[begin:i].strip()
            is_body = bool(re.search(r"\)\s*(const|noexcept|override|final|mutable|->[\w:<>,\s*&]+|:[^{;]*)*\s*$", head, re.S))
            is_type = bool(re.search(r"\b(namespace|class|struct|enum|union)\b[^()]*$", head))
            stack.append((line, is_body and not is_type))
            begin = i + 1
        elif char == "}":
            if stack:
                first, is_body = stack.pop()
                outermost = is_body and not any(body for _, body in stack)
                if outermost:
                    yield first, line - first + 1
            begin = i + 1
        elif char == ";":
            begin = i + 1


def test_function_lengths():
    report([f"{path}:{line}: a function of {length} lines, at most {MAX_FUNCTION_LINES}"
            for path in files(".h", ".cc", folders=PRODUCT + ("bench",))
            for line, length in functions(strip_comments_and_strings((ROOT / path).read_text()))
            if length > MAX_FUNCTION_LINES])


def test_owned_headers():
    problems = []
    for path in files(".h", ".cc"):
        for line in re.findall(r'^\s*#include\s+([<"][^>"]+[>"])', (ROOT / path).read_text(), re.M):
            name = line[1:-1]
            if re.search(BANNED_INCLUDES, line):
                problems.append(f"{path}: {line} is banned")
            for pattern, owners in OWNED_HEADERS.items():
                if not re.match(pattern, name) and not (pattern.startswith("grpc") and re.search(pattern, name)):
                    continue
                if is_ours(name) or name.endswith(".pb.h") and not name.endswith(".grpc.pb.h"):
                    continue
                if not path.startswith(owners):
                    problems.append(f"{path}: {name} belongs to {', '.join(owners)}")
                elif path.endswith(".h") and path.split("/")[0] in PRODUCT:
                    problems.append(f"{path}: {name} belongs in a source, not in a header")
    report(problems)


def test_names():
    problems = []
    for path in files(".h", ".cc", ".py"):
        if BANNED_FILE_NAMES.search(path.rsplit("/", 1)[1].rsplit(".", 1)[0]):
            problems.append(f"{path}: a name that says nothing")
    for path in files(".h", ".cc", folders=PRODUCT + ("bench",)):
        for number, line in enumerate((ROOT / path).read_text().split("\n"), 1):
            match = BANNED_CLASS_NAMES.match(line)
            if match:
                problems.append(f"{path}:{number}: class {match.group(1)}")
    report(problems)


def test_formatting():
    paths = files(".h", ".cc")
    result = subprocess.run(["clang-format", "--dry-run", "-Werror", "-ferror-limit=1", *paths], cwd=ROOT,
                            capture_output=True, text=True)
    found = sorted(set(re.findall(r"^([^\s:]+\.(?:h|cc)):\d+:\d+: error:", result.stderr, re.M)))
    report([f"{path}: not as clang-format 14 writes it" for path in found])
    assert result.returncode == 0, result.stderr


def test_no_loose_files():
    report([f"{path}: a loose file" for path in files("", folders=("common",))
            if path.count("/") == 1 and not path.endswith(("CMakeLists.txt", "README.md"))])


def test_headers_have_a_guard_and_a_comment():
    problems = []
    for path in files(".h", folders=PRODUCT + ("bench",)):
        text = (ROOT / path).read_text()
        if "#pragma once" not in text:
            problems.append(f"{path}: no #pragma once")
        if not text.startswith("//"):
            problems.append(f"{path}: begins without saying what it is")
    report(problems)


def test_explicit_file_lists():
    report([f"{path}: lists its files by name, no globs" for path in files("CMakeLists.txt")
            if re.search(r"GLOB|include_directories\(", (ROOT / path).read_text().replace("target_include_directories(", ""))])


@pytest.mark.parametrize("word", ["/work" + "/", "/far" + "m/"])
def test_no_machine_paths(word):
    found = subprocess.run(["git", "grep", "-nIF", word, "--", "."], cwd=ROOT, capture_output=True, text=True).stdout
    assert not found, found


def test_no_sleeps_in_unit_tests():
    report([f"{path}:{number}: {line.strip()}" for path in files(".cc", folders=("tests",)) if path.startswith("tests/unit/")
            for number, line in enumerate((ROOT / path).read_text().split("\n"), 1)
            if re.search(r"sleep_for|usleep\(|absl::SleepFor|\bsleep\(", line)])
