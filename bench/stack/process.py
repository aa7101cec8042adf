"""Programs as child processes: started, watched, killed, started again."""

import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request


def free_port():
    """A TCP port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(url, data=None, headers=None, timeout=10):
    """(status, body); status 0 when nothing answered."""
    request = urllib.request.Request(url, data=data, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (urllib.error.URLError, OSError):
        return 0, b""


def wait_until(condition, what, seconds=30, process=None, every=0.05):
    """Polls until `condition()` is true and returns its value; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if process is not None and process.code() is not None:
            raise AssertionError(f"{what}: {process.name} ended with {process.code()}\n{process.tail()}")
        if time.monotonic() > deadline:
            detail = f"\n{process.tail()}" if process is not None else ""
            raise AssertionError(f"not within {seconds} s: {what}{detail}")
        time.sleep(every)


class Process:
    """One program. Its output is appended to `<directory>/<name>.log` over all its lives."""

    def __init__(self, name, argv, directory, environment=None):
        self.name = name
        self.argv = [str(a) for a in argv]
        self.directory = pathlib.Path(directory)
        self.log = self.directory / f"{name}.log"
        self.environment = {**os.environ, **(environment or {})}
        self.child = None

    def start(self):
        with open(self.log, "ab") as output:
            self.child = subprocess.Popen(self.argv, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                          cwd=self.directory, env=self.environment)
        return self

    def code(self):
        return self.child.poll() if self.child else None

    def running(self):
        return self.child is not None and self.child.poll() is None

    def kill(self):
        """SIGKILL: no last words."""
        self._end(signal.SIGKILL)

    def stop(self, seconds=20):
        """SIGTERM, and SIGKILL to one that does not listen. The exit code."""
        self._end(signal.SIGTERM, seconds)
        return self.code()

    def signal(self, number):
        self.child.send_signal(number)

    def _end(self, number, seconds=20):
        if not self.running():
            return
        self.child.send_signal(number)
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def tail(self, lines=25):
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def memory_bytes(self):
        """Resident memory now."""
        for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0
