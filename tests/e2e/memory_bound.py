"""A bound of memory for a program, kept by the kernel."""

import pathlib

from stack.process import wait_until

CGROUPS = pathlib.Path("/sys/fs/cgroup/memory")


class MemoryBound:
    """A memory limit by the kernel where it can be had (cgroup v1, page cache included); else nothing but a number to compare with."""

    def __init__(self, name, limit):
        self.directory, self.limit, self.enforced = CGROUPS / name, limit, False
        try:
            self.directory.mkdir(exist_ok=True)
            (self.directory / "memory.limit_in_bytes").write_text(str(limit))
            self.enforced = True
        except OSError:
            pass

    def hold(self, process):
        if self.enforced:
            (self.directory / "cgroup.procs").write_text(str(process.child.pid))

    def stop(self, _=None):
        if self.enforced:
            wait_until(lambda: not (self.directory / "cgroup.procs").read_text().strip(), "the group is empty")
            self.directory.rmdir()
