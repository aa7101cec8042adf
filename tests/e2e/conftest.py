"""The chain of real programs for each test, in a directory of its own, ended with the test."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/support")]

from stack.network import Network, Unavailable  # noqa: E402
from stack.process import PATIENCE  # noqa: E402
from stack.programs import BUILD, Forwarder, Gateway, Mesh, Prometheus, Region, Relay  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="also the long runs")


@pytest.fixture
def long_run(request):
    return request.config.getoption("--all")


class Chain:
    """What a test starts; everything is ended with it, last started first."""

    def __init__(self, directory):
        self.directory = directory
        self.parts = []

    def own(self, part):
        self.parts.append(part)
        return part

    def region(self, **options):
        region = Region(self.directory, **options).start()
        self.own(region.process)
        return region

    def prometheus(self, **options):
        prometheus = Prometheus(self.directory, **options).start()
        self.own(prometheus.process)
        return prometheus

    def mesh(self, **options):
        mesh = Mesh(self.directory, **{"real_ports": False, **options}).start()
        self.own(mesh.process)
        return mesh

    def gateway(self, destinations, start=True, **options):
        gateway = Gateway(self.directory, destinations, **options)
        self.own(gateway.process)
        return gateway.start() if start else gateway

    def relay(self, gateway_address):
        relay = Relay(self.directory, gateway_address).start()
        self.own(relay.process)
        return relay

    def forwarder(self, address, targets, start=True, flags=(), **options):
        """Ending, it waits for its last acknowledgements longer than by itself; `flags` may say otherwise."""
        flags = flags if any(flag.startswith("--shutdown.grace") for flag in flags) else [*flags, f"--shutdown.grace={PATIENCE // 2}s"]
        forwarder = Forwarder(self.directory, address, targets, flags=flags, **options)
        self.own(forwarder.process)
        return forwarder.start() if start else forwarder

    def end(self):
        for part in reversed(self.parts):
            part.stop(2)  # what is not drained by now has nobody to drain to


def unmount(directory):
    """What a run that was killed had mounted beneath it."""
    for line in reversed(pathlib.Path("/proc/mounts").read_text().splitlines()):
        if pathlib.Path(line.split()[1]).is_relative_to(directory):
            subprocess.run(["umount", "-l", line.split()[1]], check=True)


def chain_in(name):
    directory = BUILD / "e2e" / re.sub(r"\W+", "-", name)
    unmount(directory)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    chain = Chain(directory)
    yield chain
    chain.end()
    for reserve in directory.rglob("ballast"):  # of a hundred and twenty-eight megabytes, and tells nothing
        reserve.unlink()
    crashed = [part.name for part in chain.parts if hasattr(part, "log") and re.search(
        r"BUG:|AddressSanitizer|ThreadSanitizer|runtime error:|terminate called", part.log.read_text(errors="replace") if part.log.exists() else "")]
    assert not crashed, f"see the logs of {crashed} in {directory}"


@pytest.fixture
def network():
    """Hosts of their own; ask for it before `chain`, so that it outlives the programs."""
    try:
        network = Network()
    except Unavailable as reason:
        pytest.skip(f"no network namespaces: {reason}")
    yield network
    network.end()


@pytest.fixture
def chain(request):
    yield from chain_in(request.node.name)


@pytest.fixture(scope="module")
def shared_chain(request):
    """One for all tests of a file."""
    yield from chain_in(request.module.__name__)
