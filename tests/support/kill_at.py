"""Programs that end themselves by SIGKILL at the k-th system call: what tests/support/kill_at does, by words."""

import struct

from stack.programs import BUILD

LIBRARY = BUILD / "tests/support/kill_at/libampari-test-kill-at.so"
NAMES = ("read", "pread64", "readv", "recvmsg", "recvfrom", "write", "pwrite64", "writev", "sendmsg", "sendto", "fdatasync", "fsync",
         "sync_file_range", "rename")


class Counted:
    """The system calls of a program, counted over each of its lives, which can end at one of them.

    `process`: a stack.process.Process; its next start() is told. `on`: directories whose files count, and the word "sockets".
    """

    def __init__(self, process, calls=NAMES, on=()):
        self.process, self.calls, self.on = process, calls, on
        self.file = process.directory / f"{process.name}-calls"
        self.spare()

    def spare(self):
        """Counts only."""
        self._tell({})

    def end_at(self, k, torn=False):
        """The next life ends at the k-th call. `torn`: half of what is written then still goes out."""
        self._tell({"AMPARI_KILL_AT": str(k), **({"AMPARI_KILL_TORN": "1"} if torn else {})})

    def _tell(self, fate):
        self.file.unlink(missing_ok=True)
        environment = {name: value for name, value in self.process.environment.items() if not name.startswith("AMPARI_KILL_")}
        environment |= {"LD_PRELOAD": str(LIBRARY), "AMPARI_KILL_CALLS": ",".join(self.calls), "AMPARI_KILL_COUNT": str(self.file), **fate}
        if self.on:
            environment["AMPARI_KILL_ON"] = ":".join(map(str, self.on))
        environment["ASAN_OPTIONS"] = "verify_asan_link_order=0"
        self.process.environment = environment

    def counts(self):
        """{call: how often}, of those that happened; empty before the program began."""
        if not self.file.exists():
            return {}
        format, told = f"={1 + len(NAMES)}Q", self.file.read_bytes()
        if len(told) < struct.calcsize(format):
            return {}
        numbers = struct.unpack(format, told)
        assert numbers[0] <= sum(numbers[1:]), numbers  # a thread counts by name first, and may have been ended in between
        return {name: number for name, number in zip(NAMES, numbers[1:]) if number}

    def total(self):
        return sum(self.counts().values())
