"""The scripted API server says what a real one says: one story told to both."""

import json
import urllib.parse

import pytest
from certificates import Authority
from kubernetes_api import KubernetesApi
from pod_objects import pod

from stack.control_plane import ControlPlane, unavailable_reason
from stack.process import fetch, free_port

PODS = "/api/v1/namespaces/story/pods"


class Scripted:
    def __init__(self, chain):
        self.api = chain.own(KubernetesApi(tokens=["known"], port=free_port()))
        self.create = self.api.put
        self.patch = lambda name, change: self.api.patch(name, change, "story")
        self.delete = lambda name: self.api.delete(name, "story")
        self.forget = self.api.compact

    def get(self, path, token="known"):
        return fetch(self.api.url + path, headers={"Authorization": f"Bearer {token}"})


class Real:
    def __init__(self, chain):
        authority = Authority(chain.directory)
        certificate = authority.issue("api")
        self.plane = chain.own(ControlPlane(chain.directory, (certificate.cert, certificate.key), authority.ca)).start()
        self.plane.create_namespace("story")
        self.patch = lambda name, change: self.plane.patch_pod(name, change, "story")
        self.delete = lambda name: self.plane.delete_pod(name, "story")

    def create(self, *pods):
        for each in pods:
            self.plane.create_pod({k: v for k, v in each.items() if k != "status"})

    def forget(self):
        self.plane.forget_history()
        self.plane.restart_api()

    def get(self, path, token=None):
        return self.plane.get(path, token)


def asked(**query):
    return f"{PODS}?{urllib.parse.urlencode(query)}"


def failure(answer):
    """What a client can tell of a failed request: by status, or in band."""
    status, body = answer
    value = json.loads(body.splitlines()[0])
    told = value["object"] if value.get("type") == "ERROR" else value
    return told["kind"], told["status"], told["reason"], told["code"]


def events(server, version, **query):
    """What a watch of two seconds tells from `version` on: all of it has happened before."""
    status, body = server.get(asked(watch=1, resourceVersion=version, timeoutSeconds=2, **query))
    assert status == 200, body
    lines = [json.loads(line) for line in body.splitlines()]
    return [(e["type"], e["object"]["kind"], e["object"]["metadata"].get("name"), e["object"]["metadata"].get("labels")) for e in lines]


def pages(server, limit):
    """Names page by page, and what an item says of itself."""
    told, query = [], {"limit": limit}
    while True:
        status, body = server.get(asked(**query))
        listed = json.loads(body)
        told.append((status, listed["kind"], [(i.get("kind"), i["metadata"]["name"]) for i in listed["items"]]))
        query["continue"] = listed["metadata"].get("continue")
        if not query["continue"]:
            return told


def story(server):
    version = json.loads(server.get(PODS)[1])["metadata"]["resourceVersion"]
    server.create(pod("a", namespace="story", labels={"app": "x"}), pod("b", namespace="story", labels={"app": "y"}, node="node-2"),
                  pod("c", namespace="story", labels={"app": "y"}))
    told = {"pages": pages(server, 2), "whole": pages(server, 0)}
    server.patch("a", {"metadata": {"labels": {"app": "y"}}})
    server.patch("b", {"metadata": {"labels": {"app": "x"}}})
    server.patch("c", {"metadata": {"annotations": {"an": "annotation"}}})
    server.delete("a")
    for name, query in {"all": {}, "by label": {"labelSelector": "app=x"}, "by label not": {"labelSelector": "app!=x"},
                        "by presence": {"labelSelector": "app"}, "by node": {"fieldSelector": "spec.nodeName=node-1"},
                        "by name": {"fieldSelector": "metadata.name=a"}}.items():
        told[f"watch {name}"] = events(server, version, **query)
    now = events(server, "0")
    told["watch from now"] = sorted(now)
    told["lists"] = [json.loads(server.get(asked(**query))[1])["kind"] for query in ({"resourceVersion": 0}, {"fieldSelector": "status.phase=Running"})]
    server.forget()
    told["failures"] = {
        "unknown field": failure(server.get(asked(fieldSelector="spec.color=red"))), "no token": failure(server.get(PODS, token="stranger")),
        "too old": failure(server.get(asked(watch=1, resourceVersion=1, timeoutSeconds=1))),
        "too new": failure(server.get(asked(resourceVersion=10**9)))}
    return told


@pytest.mark.skipif(bool(unavailable_reason()), reason=unavailable_reason())
def test_the_scripted_server_tells_what_a_real_one_tells(chain):
    scripted, real = story(Scripted(chain)), story(Real(chain))
    for part in real:
        assert scripted[part] == real[part], part
