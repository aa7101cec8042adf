"""A node's life: containers that write as Envoy, a runtime and kubelet do, and every line of theirs in the region once, by its hash."""

import itertools
import json
import time

import pytest
from logs import TENANT, assert_ledger, assert_no_log_trouble, log_rules, loki, wait_for_lines, wait_for_log_delivery

from stack.programs import LogMesh

LIFE = ["--flush-ms", 50, "--rotate-bytes", 20_000, "--rotate-check-ms", 200, "--max-files", 1000, "--restart-every", 0.9,
        "--replace-every", 1.7, "--linger-ms", 30_000, "--long", 0.005, "--invalid", 0.01]


def live(chain, seconds, *flags, pods=12, rate=100):
    """The mesh writes for so long; forwarder and gateway are killed in turn, and the region cuts every tenth connection after storing."""
    region, mesh = chain.region(), LogMesh(chain.directory, pods=pods, rate=rate, flags=[*LIFE, *flags])
    region.control(signal="logs", mode="commit_then_close", every=10)
    gateway = chain.gateway([], loki_write=[loki(region)])
    mesh.start()
    chain.own(mesh.process)
    job = {"job_name": "mesh", "start": "beginning", "relabel_configs": log_rules(mesh.root),
           "file_sd_configs": [{"files": [str(mesh.targets)], "refresh_interval": "1s"}]}
    forwarder = chain.forwarder(gateway.address, [], log_configs=[job])
    begin, victims = time.monotonic(), itertools.cycle((forwarder, gateway))
    while time.monotonic() < begin + seconds:
        time.sleep(1.9)  # the time between two kills
        victim = next(victims)
        victim.process.kill()
        victim.start()
    assert mesh.process.stop() == 0, mesh.process.tail()
    written = sum(line[0] in "LP" for line in mesh.written.read_text().splitlines())
    wait_for_lines(region, written, process=forwarder.process)
    assert forwarder.process.stop() == 0, forwarder.process.tail()
    wait_for_log_delivery(gateway)
    verdict, code = mesh.verify(region, TENANT)
    assert code == 0 and verdict["verified"] == written, json.dumps(verdict, indent=1)
    assert_no_log_trouble(region)
    assert_ledger(gateway, region)
    print(verdict, region.logs(TENANT))


def test_a_nodes_life(chain):
    live(chain, 7, "--runtime", "crio")


@pytest.mark.parametrize("flags", [["--runtime", "containerd"], ["--runtime", "docker", "--keep-plain"], ["--runtime", "crio", "--json"],
                                   ["--copytruncate", "--keep-plain"]], ids=" ".join)
def test_longer_lives(chain, long_run, flags):
    if not long_run:
        pytest.skip("a minute for each runtime: script/test --all")
    live(chain, 60, *flags)
