"""Pods as a Kubernetes API server keeps them, from a few words."""

import copy

ISTIO_ANNOTATIONS = {"prometheus.io/scrape": "true", "prometheus.io/port": "15020", "prometheus.io/path": "/stats/prometheus"}


def container(name, *ports, image=None, restart_policy=None):
    """A container of a spec. Ports: number, (number, name) or (number, name, protocol)."""
    listed = []
    for port in ports:
        number, port_name, protocol = (*port, None, None)[:3] if isinstance(port, tuple) else (port, None, None)
        listed.append({"containerPort": number, **({"name": port_name} if port_name else {}), "protocol": protocol or "TCP"})
    return {"name": name, "image": image or f"registry.test/{name}:1", **({"ports": listed} if listed else {}),
            **({"restartPolicy": restart_policy} if restart_policy else {})}


def spec(node="node-1", containers=None, init=()):
    """What is asked for."""
    return {**({"nodeName": node} if node else {}), "containers": list(containers or [container("application", 9080)]),
            **({"initContainers": list(init)} if init else {})}


def status(of, ip="127.40.0.1", phase="Running", ready="True", host_ip="10.0.0.1", ids=True):
    """What a kubelet reports about a pod with the spec `of`. ip "": none yet."""
    started = lambda number, part: {"name": part["name"], "image": part["image"], "imageID": "", "ready": True, "restartCount": 0,
                                    "containerID": f"containerd://{number:064x}" if ids else "",
                                    "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
    reported = {"phase": phase, **({"hostIP": host_ip} if host_ip else {}),
                **({"podIP": ip, "podIPs": [{"ip": ip}]} if ip else {}),
                **({"conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": ready}]} if ready else {}),
                "containerStatuses": [started(n, c) for n, c in enumerate(of["containers"])]}
    if of.get("initContainers"):
        reported["initContainerStatuses"] = [started(n + 100, c) for n, c in enumerate(of["initContainers"])]
    return reported


def pod(name, namespace="default", node="node-1", ip="127.40.0.1", labels=None, annotations=None, owner=None, containers=None,
        init=(), **reported):
    """A whole pod. `owner`: (kind, name) of its controller."""
    wanted = spec(node, containers, init)
    owners = [{"apiVersion": "apps/v1", "kind": kind, "name": controller, "uid": f"owner-{controller}", "controller": True}
              for kind, controller in filter(None, [owner])]
    return {"metadata": {"name": name, "namespace": namespace, **({"labels": labels} if labels else {}),
                         **({"annotations": annotations} if annotations else {}),
                         **({"ownerReferences": owners} if owner else {})},
            "spec": wanted, "status": status(wanted, ip, **reported)}


def merged(old, change):
    """A JSON merge patch (RFC 7386)."""
    if not isinstance(change, dict) or not isinstance(old, dict):
        return copy.deepcopy(change)
    new = dict(old)
    for key, value in change.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = merged(new.get(key, {}), value)
    return new
