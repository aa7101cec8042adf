"""Log directories that someone hostile can write to, and lines that are no text: what is not a log is not read, what is one arrives."""

import grp
import os
import shutil
import stat

import pytest
from logs import LogChain, all_lines, files

from stack.pod_logs import number_of
from stack.process import wait_until
from stack.programs import metric

SECRET = "root-of-all-secrets"


def hostile(log):
    """What is laid beside a container's file; only regular files are logs."""
    directory = log.directory
    secret = directory.parents[2] / "secret"
    secret.write_text(f"2024-05-01T10:00:00.000000000Z stdout F {SECRET}\n")
    os.mkfifo(directory / "1.log")
    (directory / "2.log").symlink_to("/etc/passwd")
    (directory / "3.log").symlink_to(secret)
    (directory / "4.log").symlink_to("../../../secret")
    (directory / "5.log").mkdir()
    (directory / "6.log").symlink_to("6.log")  # itself
    (directory / "7.log").symlink_to("/dev/zero")
    if os.geteuid() == 0:
        os.mknod(directory / "8.log", 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero
    (directory.parent / "..-link").symlink_to("/")


def test_what_is_no_log_is_not_read(chain):
    logs = LogChain(chain)
    first, second = logs.pods.add(2)
    hostile(first)
    for log in (first, second):
        log.write(*logs.pods.lines(10))
    logs.wait()
    wait_until(lambda: metric(logs.forwarder.metrics(), "ampari_forwarder_log_files_refused_total") > 0, "refusals are counted", process=logs.forwarder.process)
    assert logs.forwarder.process.memory_bytes() < 300 << 20
    logs.finish()
    assert not any(SECRET in line or "root:" in line for _, _, line, _ in all_lines(logs.region))


def test_a_directory_that_becomes_a_link(chain):
    """The container's directory is replaced by a link to elsewhere while it is followed."""
    logs = LogChain(chain)
    (log,) = logs.pods.add()
    log.write(*logs.pods.lines(5))
    logs.wait()
    elsewhere = chain.directory / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "0.log").write_text("".join(f"2024-05-01T10:00:0{n}.000000000Z stdout F {SECRET}\n" for n in range(5)))
    shutil.move(log.directory, chain.directory / "moved")
    log.directory.symlink_to(elsewhere)
    (other,) = logs.pods.add()
    other.write(*logs.pods.lines(5))
    logs.wait()
    other.write(*logs.pods.lines(5))
    logs.finish()
    assert not any(SECRET in line for _, _, line, _ in all_lines(logs.region))


def test_long_lines_are_cut_and_counted(chain):
    logs = LogChain(chain, max_line_size="256KiB", long_lines="cut")
    (log,) = logs.pods.add()
    long = "".join(f"{n:08d}" for n in range(131072))  # 1 MiB
    log.write("before", long, "after")
    time_ns, stream, _ = log.written[1]
    log.written[1] = (time_ns, stream, long[:256 << 10])
    logs.check()
    assert metric(logs.forwarder.metrics(), "ampari_forwarder_log_lines_cut_total") == 1


def test_long_lines_are_refused_and_counted(chain):
    logs = LogChain(chain, max_line_size="256KiB", long_lines="refuse")
    (log,) = logs.pods.add()
    log.write("before", "x" * (1 << 20), "after")
    del log.written[1]
    logs.check()
    assert metric(logs.forwarder.metrics(), "ampari_forwarder_log_lines_refused_total") == 1


def test_a_megabyte_without_end(chain):
    """No newline, no format: memory stays bounded, and what is a line afterwards arrives."""
    logs = LogChain(chain)
    (log,) = logs.pods.add()
    log.write(*logs.pods.lines(3))
    log.write_raw(b"\0" * (8 << 20))
    log.write_raw(b"\n")
    log.write(*logs.pods.lines(3))
    known = lambda: [n for n in (number_of(line) for _, _, line, _ in all_lines(logs.region)) if n is not None]
    wait_until(lambda: known() == list(range(6)), "what comes after arrives", process=logs.forwarder.process)
    assert logs.forwarder.process.memory_bytes() < 300 << 20


def test_bytes_that_are_no_text(chain):
    logs = LogChain(chain)
    (log,) = logs.pods.add()
    log.write("before", b"nul \x00 inside", b"invalid \xff\xfe utf-8 \xc3", "after \u00e9\U0001f6a2")
    replaced = [(ns, stream, text if isinstance(text, str) else text.decode("utf-8", "replace")) for ns, stream, text in log.written]
    log.written[:] = replaced
    logs.finish()


@pytest.mark.skipif(os.geteuid() != 0, reason="not root, who alone can be somebody else")
def test_as_another_user_with_the_group_of_the_logs(chain):
    """Not root: what the group of the log directory may read is read; what it may not is told, and holds nothing back."""
    group = grp.getgrnam("adm").gr_gid
    logs = LogChain(chain, pods=3, forwarder={"start": False})
    closed = logs.pods.logs[2]
    for path in [logs.pods.root, *logs.pods.root.rglob("*")]:
        os.chown(path, 0, group)
        path.chmod(0o750 if path.is_dir() else 0o640)
    os.chown(closed.path, 0, 0)
    logs.forwarder.process.argv = ["setpriv", "--reuid=65534", "--regid=65534", f"--groups={group}", *logs.forwarder.process.argv]
    make_reachable(chain.directory)
    logs.forwarder.start()
    logs.pods.write(10)
    logs.wait(lines=20)
    wait_until(lambda: "permission" in files(logs.forwarder).get(str(closed.path), {}).get("error", "").lower(), "why it is not read is told",
               process=logs.forwarder.process)
    os.chown(closed.path, 0, group)
    assert logs.forwarder.process.stop() == 0
    logs.forwarder.start()
    logs.finish()


def make_reachable(directory):
    """By everybody: the way to it, and the programs."""
    for path in [directory, *directory.parents]:
        if not path.stat().st_mode & stat.S_IXOTH:
            pytest.skip(f"a forwarder of another user is what is tested, and {path} cannot be entered by others")
    for path in directory.glob("*.yaml"):
        path.chmod(0o644)
