"""Hosts as network namespaces on one bridge, which has a namespace of its own: the machine's own network is left alone."""

import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import threading

PREFIX = "ampari-"
NAMES = pathlib.Path("/var/run/netns")
CLONE_NEWNET = 0x40000000


class Unavailable(Exception):
    """Why there are no network namespaces here."""


def _ip(*arguments):
    done = subprocess.run(["ip", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"ip {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


@contextlib.contextmanager
def inside(namespace):
    """Sockets that this thread makes meanwhile belong to the namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    own = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
    other = os.open(NAMES / namespace, os.O_RDONLY)
    try:
        if libc.setns(other, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns to {namespace}")
        yield
    finally:
        libc.setns(own, CLONE_NEWNET)
        os.close(own)
        os.close(other)


class Host:
    """One namespace with a loopback device and one address."""

    def __init__(self, namespace, switch, number):
        self.namespace, self.switch = namespace, switch
        self.address, self.port = f"10.0.0.{number}", f"port{number}"
        _ip("netns", "add", namespace)
        _ip("-n", namespace, "link", "set", "lo", "up")
        _ip("-n", switch, "link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        _ip("-n", switch, "link", "set", self.port, "master", "bridge", "up")
        _ip("-n", namespace, "address", "add", f"{self.address}/24", "dev", "eth0")
        _ip("-n", namespace, "link", "set", "eth0", "up")

    def unplug(self):
        """Nothing arrives and nothing leaves; nobody is told."""
        _ip("-n", self.switch, "link", "set", self.port, "nomaster")

    def plug(self):
        _ip("-n", self.switch, "link", "set", self.port, "master", "bridge")


class Network:
    """The names hold this process's id, so that several runs do not meet; end() takes everything away."""

    def __init__(self):
        if os.geteuid() != 0:
            raise Unavailable("not root")
        if not pathlib.Path("/sbin/ip").exists() and not pathlib.Path("/usr/bin/ip").exists():
            raise Unavailable("no ip(8)")
        _remove_abandoned()
        self.begin = f"{PREFIX}{os.getpid()}-"
        self.switch = f"{self.begin}switch"
        self.hosts = []
        try:
            _ip("netns", "add", self.switch)
            _ip("-n", self.switch, "link", "add", "bridge", "type", "bridge", "forward_delay", 0)
            _ip("-n", self.switch, "link", "set", "bridge", "up")
        except BaseException:
            self.end()
            raise

    def host(self, name):
        self.hosts.append(Host(f"{self.begin}{name}", self.switch, len(self.hosts) + 1))
        return self.hosts[-1]

    def end(self):
        _remove(self.begin)


def _remove(begin):
    for name in sorted(path.name for path in NAMES.glob(f"{begin}*")):
        for process in subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)
        subprocess.run(["ip", "netns", "delete", name], capture_output=True)


def _remove_abandoned():
    """What runs that were killed left behind."""
    for path in NAMES.glob(f"{PREFIX}*-switch"):
        owner = path.name[len(PREFIX):-len("-switch")]
        if owner.isdigit() and not pathlib.Path(f"/proc/{owner}").exists():
            _remove(f"{PREFIX}{owner}-")
