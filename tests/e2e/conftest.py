"""The chain of real programs for each test, in a directory of its own, ended with the test."""

import pathlib
import re
import shutil
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

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
        mesh = Mesh(self.directory, real_ports=False, **options).start()
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

    def forwarder(self, address, targets, start=True, **options):
        forwarder = Forwarder(self.directory, address, targets, **options)
        self.own(forwarder.process)
        return forwarder.start() if start else forwarder

    def end(self):
        for part in reversed(self.parts):
            part.stop(2)  # what is not drained by now has nobody to drain to


@pytest.fixture
def chain(request):
    directory = BUILD / "e2e" / re.sub(r"\W+", "-", request.node.name)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    chain = Chain(directory)
    yield chain
    chain.end()
    crashed = [part.name for part in chain.parts if hasattr(part, "log") and re.search(
        r"BUG:|AddressSanitizer|ThreadSanitizer|runtime error:|terminate called", part.log.read_text(errors="replace") if part.log.exists() else "")]
    assert not crashed, f"see the logs of {crashed} in {directory}"
