"""The preloaded library that kills at the k-th system call counts what is called, and strikes where it is told."""

import signal
import sys

import pytest
from kill_at import Counted

from stack.process import PATIENCE, Process

PROGRAM = """
import os, socket
inside = os.open("watched/file", os.O_RDWR | os.O_CREAT)
outside = os.open("other", os.O_RDWR | os.O_CREAT)
here, there = socket.socketpair()
for number in range(3):
    os.write(outside, b"x")
    os.write(inside, b"12345678")
    os.pwrite(inside, b"ab", 0)
    os.fdatasync(inside)
here.sendmsg([b"hello"])
here.send(b"you")
there.recv(5)
there.recvmsg(100)
os.pread(inside, 3, 0)
os.read(inside, 3)
os.writev(outside, [b"a", b"b"])
os.readv(outside, [bytearray(1)])
os.fsync(outside)
os.rename(os.path.abspath("watched/file"), "watched/renamed")
"""


@pytest.fixture
def counted(tmp_path):
    """A maker of counted programs in a directory of their own."""
    (tmp_path / "watched").mkdir()

    def make(**options):
        return Counted(Process("program", [sys.executable, "-S", "-c", PROGRAM], tmp_path), **options)
    return make


def end_of(counted):
    counted.process.start()
    return counted.process.child.wait(PATIENCE)


def watched(counted):
    return counted.process.directory / "watched"


def test_calls_on_files_and_sockets(counted):
    program = counted(on=[])
    assert end_of(program) == 0, program.process.tail()
    counts = program.counts()
    assert (counts["write"], counts["pwrite64"], counts["fdatasync"]) == (6, 3, 3), counts
    for name in ("sendmsg", "sendto", "recvfrom", "recvmsg", "pread64", "writev", "readv", "fsync", "rename"):
        assert counts[name] == 1, (name, counts)
    assert counts["read"] >= 1, "Python itself reads too"


@pytest.mark.parametrize("options, total", [
    pytest.param({"calls": ["write"]}, 6, id="of one name"),
    pytest.param({"calls": ["write", "fdatasync"]}, 9, id="of two names"),
    pytest.param({"calls": ["sync_file_range"]}, 0, id="that nobody makes"),
    pytest.param({"on": ["sockets"]}, 4, id="on sockets"),
])
def test_only_the_chosen_calls(counted, options, total):
    program = counted(**options)
    assert end_of(program) == 0, program.process.tail()
    assert program.total() == total, program.counts()


def test_only_beneath_a_directory(counted, tmp_path):
    program = counted(on=[tmp_path / "watched"])
    assert end_of(program) == 0, program.process.tail()
    assert program.counts() == {"write": 3, "pwrite64": 3, "fdatasync": 3, "pread64": 1, "read": 1, "rename": 1}


@pytest.mark.parametrize("k, torn, left", [
    pytest.param(1, False, b"", id="the first write"),
    pytest.param(1, True, b"1234", id="half of the first write"),
    pytest.param(3, False, b"12345678" * 2, id="the last write"),
    pytest.param(4, False, b"12345678" * 3, id="one that does not come"),
])
def test_kills_at_the_kth(counted, tmp_path, k, torn, left):
    program = counted(calls=["write"], on=[tmp_path / "watched"])
    program.end_at(k, torn)
    assert end_of(program) == (-signal.SIGKILL if k < 4 else 0), program.process.tail()
    (file,) = watched(program).iterdir()
    assert file.read_bytes()[8:] == left[8:] and len(file.read_bytes()) == len(left)
    assert program.total() == min(k, 3)


def test_spared_afterwards(counted, tmp_path):
    program = counted(calls=["fdatasync"], on=[tmp_path / "watched"])
    program.end_at(2)
    assert end_of(program) == -signal.SIGKILL
    program.spare()
    assert end_of(program) == 0 and program.total() == 3
