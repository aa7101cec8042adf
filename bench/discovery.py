"""What discovery costs on a node of 110 pods of a cluster, whose containers change all the time: CPU and memory of a forwarder that
scrapes nothing.

    AMPARI_BUILD=build/release /usr/bin/python3 bench/discovery.py [--changes-per-minute 60] [--seconds 60]
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/support"), str(ROOT / "tests/e2e")]

from cluster import NOBODY, NODE, pods_job, wait_for_pods  # noqa: E402
from kubernetes_api import KubernetesApi  # noqa: E402
from pod_objects import ISTIO_ANNOTATIONS, container, pod  # noqa: E402

from stack.process import free_port, wait_until  # noqa: E402
from stack.programs import Forwarder  # noqa: E402

PODS = 110
IDLE_SECONDS = 30
# What discovery skips: managed fields, environment, volumes. A pod of a mesh weighs about 10 KB in JSON.
MANAGED = [{"manager": "kubelet", "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {
    "f:status": {f'k:{{"type":"Condition{n}"}}': {"f:lastProbeTime": {}, "f:message": {}, "f:reason": {}} for n in range(60)}}}]
ENVIRONMENT = [{"name": f"ISTIO_META_{n}", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}} for n in range(40)]


def weighty(number, life=0):
    """A pod with its sidecar, as heavy as real ones."""
    made = pod(f"pod-{number}", ip=f"127.40.{number // 200}.{number % 200 + 1}", owner=("ReplicaSet", f"web-{number}"),
               annotations={**ISTIO_ANNOTATIONS, "sidecar.istio.io/status": "s" * 1000, "life": str(life)},
               labels={"app": f"web-{number}", "version": "v1", "pod-template-hash": "5d8f7c"}, init=[container("istio-init")],
               containers=[container("web", (8080, "http")), container("istio-proxy", (15090, "http-envoy-prom"))])
    made["metadata"]["managedFields"] = MANAGED
    made["spec"]["containers"][1]["env"] = ENVIRONMENT
    return made


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def churn(api, forwarder, changes_per_minute, seconds):
    """(changes made, CPU seconds used)."""
    begin, changes, used = time.monotonic(), 0, cpu_seconds(forwarder.process)
    while time.monotonic() < begin + seconds:
        api.put(weighty(changes % PODS, changes + 1))
        changes += 1
        time.sleep(max(0.0, begin + changes * 60 / changes_per_minute - time.monotonic()))
    last = str(changes)
    wait_until(lambda: any(t["discovered_labels"].get("__meta_kubernetes_pod_annotation_life") == last for t in forwarder.targets()["targets"]),
               "the last change is known", 10, forwarder.process)
    return changes, cpu_seconds(forwarder.process) - used


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--changes-per-minute", type=int, default=60)
    flags.add_argument("--seconds", type=int, default=60)
    options = flags.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        bare = Forwarder(directory, NOBODY, [], name="bare", flags=["--shutdown.grace=0s"]).start()
        without = bare.process.memory_bytes("VmHWM")
        bare.process.stop()
        api = KubernetesApi(port=free_port())
        api.put(*[weighty(n) for n in range(PODS)], *[pod(f"other-{n}", node="node-2") for n in range(1000)])
        forwarder = Forwarder(directory, NOBODY, [], node=NODE, flags=["--shutdown.grace=0s"],
                              jobs=[pods_job(api.url, scrape_interval="1h")]).start()
        try:
            wait_for_pods(forwarder, [f"pod-{n}" for n in range(PODS)], "all pods are found")
            listed = cpu_seconds(forwarder.process)
            time.sleep(IDLE_SECONDS)
            idle = (cpu_seconds(forwarder.process) - listed) / IDLE_SECONDS
            changes, used = churn(api, forwarder, options.changes_per_minute, options.seconds)
            print(f"{PODS} pods listed: {listed * 1000:.0f} ms of CPU since the start\n"
                  f"{changes} changes in {options.seconds} s: {used / options.seconds:.2%} of a core, of which {idle:.2%} without changes: "
                  f"{(used / options.seconds - idle) * options.seconds / changes * 1e6:.0f} µs a change\n"
                  f"memory: {forwarder.process.memory_bytes('VmHWM') / 2**20:.1f} MiB at the highest, {without / 2**20:.1f} MiB without pods")
        finally:
            forwarder.process.stop(2)
            api.stop()


if __name__ == "__main__":
    main()
