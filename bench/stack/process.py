"""Programs as child processes: started, watched, killed, started again."""

import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from .network import inside


def free_port():
    """A TCP port that nothing listens on now. Below what the kernel gives to outgoing connections: a client that tries again and
    again to reach a killed server would at some time be connected to itself and keep the server from its port."""
    while True:
        port = random.randrange(16000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
                return port
            except OSError:
                continue


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
    """One program, on a host of its own (network.Host) if one is given. Its output is appended to `<directory>/<name>.log` over all
    its lives."""

    def __init__(self, name, argv, directory, environment=None, obeys=False, host=None):
        self.name = name
        self.obeys = obeys  # reads commands from its input
        self.host = host
        self.argv = [*(["ip", "netns", "exec", host.namespace] if host else []), *(str(a) for a in argv)]
        self.directory = pathlib.Path(directory)
        self.log = self.directory / f"{name}.log"
        self.environment = {**os.environ, **(environment or {})}
        self.child = None

    def start(self):
        with open(self.log, "ab") as output:
            self.child = subprocess.Popen(self.argv, stdout=output, stderr=subprocess.STDOUT,
                                          stdin=subprocess.PIPE if self.obeys else subprocess.DEVNULL,
                                          cwd=self.directory, env=self.environment)
        return self

    def fetch(self, url, data=None, headers=None, timeout=10):
        """As fetch(), from where the program is."""
        with inside(self.host.namespace) if self.host else contextlib.nullcontext():
            return fetch(url, data, headers, timeout)

    def tell(self, line):
        """One command to a program that obeys."""
        self.child.stdin.write(f"{line}\n".encode())
        self.child.stdin.flush()

    def said(self, begin):
        """How many lines of the log begin so."""
        return sum(line.startswith(begin) for line in self.log.read_text(errors="replace").splitlines())

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

    def memory_bytes(self, field="VmRSS"):
        """Resident memory now, or at its highest (VmHWM)."""
        for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
        return 0
