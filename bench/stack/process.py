"""Programs as child processes: started, watched, killed, started again."""

import contextlib
import http.client
import itertools
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


PATIENCE = 180  # seconds: far more than anything here takes on a machine ten times slower; who waits longer waits for ever
PORTS = range(16000, 32000)  # below what the kernel gives to outgoing connections
_untold = itertools.islice(itertools.cycle(PORTS), random.randrange(len(PORTS)), None)


def free_port():
    """A TCP port that nothing listens on now and that this process has not told before: what is killed finds its port again. Were it one
    of those that the kernel gives to outgoing connections, a client that tries again and again to reach a killed server would at some
    time be connected to itself and keep the server from its port."""
    while True:
        port = next(_untold)
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
                return port
            except OSError:
                continue


def fetch(url, data=None, headers=None, timeout=60):
    """(status, body); status 0 when nothing answered, or not to the end."""
    request = urllib.request.Request(url, data=data, headers=headers or {})
    try:
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
    except (OSError, http.client.HTTPException):
        return 0, b""


def wait_until(condition, what, seconds=PATIENCE, process=None, every=0.05):
    """Polls until `condition()` is true and returns its value; fails with `what` after `seconds`, or when `process` has ended."""
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

    def fetch(self, url, data=None, headers=None, timeout=60):
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

    def stop(self, seconds=PATIENCE):
        """SIGTERM, and SIGKILL to one that does not listen. The exit code."""
        self._end(signal.SIGTERM, seconds)
        return self.code()

    def signal(self, number):
        self.child.send_signal(number)

    def _end(self, number, seconds=PATIENCE):
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
