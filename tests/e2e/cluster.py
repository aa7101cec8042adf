"""What the tests of Kubernetes discovery ask of a forwarder."""

import re

from stack.process import wait_until
from stack.programs import ISTIO_RULES

NODE = "node-1"
NOBODY = "127.0.0.1:9"  # a gateway that is not there
POD_LABEL = "__meta_kubernetes_pod_name"


def pods_job(api_url, rules=ISTIO_RULES, name="kubernetes-pods", discovery=None, **settings):
    """Istio's job for pods, on the API server at `api_url`."""
    return {"job_name": name, "honor_labels": True, "kubernetes_sd_configs": [{"role": "pod", "api_server": api_url, **(discovery or {})}],
            "relabel_configs": rules, **settings}


def scraped(forwarder):
    """{(pod, address)} of the active targets."""
    return {(t["discovered_labels"][POD_LABEL], re.sub(r"^https?://|/.*$", "", t["url"])) for t in forwarder.targets()["targets"]}


def pods(forwarder):
    """The names of the pods with active targets, sorted, one per target."""
    return sorted(t["discovered_labels"][POD_LABEL] for t in forwarder.targets()["targets"])


def wait_for_pods(forwarder, names, why):
    """Until exactly the pods `names` have a target each; a failure shows those that have."""
    wanted, seen = sorted(names), []

    def reached():
        seen[:] = pods(forwarder)
        return seen == wanted
    try:
        wait_until(reached, f"{why}: targets of {wanted}", process=forwarder.process)
    except AssertionError as late:
        raise AssertionError(f"{late}\ntargets are of {seen}") from None
