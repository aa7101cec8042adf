"""The chart installed, upgraded, rolled back and removed on a real API server: what was generated stays."""

import copy
import re
import subprocess

import pytest

import chart
from chart import one, render, set_flags, values_file
from release import GENERATED, Release

ONE = values_file("one-cluster")
TWO = ["gateway.replicas=2"]


def issued_by(secrets, directory):
    """Whether the gateway's certificate is signed by the kept CA, as openssl(1) sees it; and its DNS names."""
    ca, cert = directory / "kept-ca.pem", directory / "cert.pem"
    ca.write_text(secrets["ampari-ca"]["tls.crt"])
    cert.write_text(secrets["ampari-gateway-tls"]["tls.crt"])
    subprocess.run(["openssl", "verify", "-CAfile", ca, cert], check=True, capture_output=True)
    text = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-ext", "subjectAltName"], check=True, capture_output=True, text=True).stdout
    return re.findall(r"DNS:([\w.-]+)", text)


def test_an_upgrade_keeps_what_was_generated(release, tmp_path):
    notes = release.upgrade()
    assert "OUTAGE BUDGET" in notes and "=> 3.0 days" in notes
    first = release.generated()
    assert len(first["ampari-forwarder-tokens"]["a"]) == 48
    assert first["ampari-gateway-tls"]["ca.crt"] == first["ampari-ca"]["tls.crt"]
    names = issued_by(first, tmp_path)
    host = f"ampari-gateway-0.ampari-gateway.{release.namespace}"
    assert {f"{host}.svc.cluster.local", f"{host}.svc", host} <= set(names)
    release.upgrade()
    assert release.generated() == first
    release.upgrade("gateway.storage.maxAge=24h", "forwarder.scrapeInterval=30s", "image.tag=next")
    assert release.generated() == first


def test_a_new_entry_gets_a_token_and_the_others_keep_theirs(release):
    release.upgrade()
    first = release.generated()
    release.upgrade('gateway.forwarders=[{"name": "b"}]', "networkPolicy.spokeCIDRs={10.0.0.0/8}")
    second = release.generated()
    assert set(second["ampari-forwarder-tokens"]) == {"a", "b"}
    assert second["ampari-forwarder-tokens"]["a"] == first["ampari-forwarder-tokens"]["a"] != second["ampari-forwarder-tokens"]["b"]
    assert {n: second[n] for n in GENERATED[1:]} == {n: first[n] for n in GENERATED[1:]}


@pytest.mark.parametrize("settings, name", [
    (["tls.extraNames={hub.example.com}"], "hub.example.com"),
    (TWO, "ampari-gateway-1.ampari-gateway"),
    (["tls.generated.serial=2"], "ampari-gateway"),
])
def test_a_new_certificate_is_from_the_same_authority(release, settings, name, tmp_path):
    release.upgrade()
    first = release.generated()
    settings = [s.replace("serial=2", "serial=two") for s in settings]
    release.upgrade(*settings)
    second = release.generated()
    assert second["ampari-gateway-tls"]["tls.crt"] != first["ampari-gateway-tls"]["tls.crt"]
    assert second["ampari-gateway-tls"]["ca.crt"] == first["ampari-gateway-tls"]["ca.crt"]
    assert second["ampari-ca"] == first["ampari-ca"] and second["ampari-forwarder-tokens"] == first["ampari-forwarder-tokens"]
    assert name in issued_by(second, tmp_path)
    release.upgrade(*settings)
    assert release.generated() == second


def test_rollback_and_reinstall_keep_what_was_generated(release):
    release.upgrade()
    first = release.generated()
    release.upgrade("gateway.storage.maxAge=24h")
    release.helm("rollback", "ampari", "1")
    assert release.generated() == first
    config = release.api.ask("GET", release.path("api/v1", "configmaps", "ampari-gateway"))["data"]["gateway.yaml"]
    assert "max_age: 72h" in config
    release.upgrade()
    assert release.generated() == first
    release.helm("uninstall", "ampari")
    assert release.api.get(release.path("apis/apps/v1", "statefulsets", "ampari-gateway"))[0] == 404
    release.upgrade()
    assert release.generated() == first


def test_given_tokens_win_over_kept_ones(release):
    release.upgrade()
    release.upgrade('gateway.forwarders=[{"name": "a", "token": "0123456789abcdef"}]')
    assert release.secret("ampari-forwarder-tokens") == {"a": "0123456789abcdef"}
    release.upgrade()
    assert release.secret("ampari-forwarder-tokens") == {"a": "0123456789abcdef"}


def test_volumes_grow_by_the_printed_steps_only(release):
    release.upgrade()
    error = release.upgrade("gateway.persistence.size=80Gi", fails=True)
    assert "the volumes were claimed with 50Gi" in error and "delete statefulset ampari-gateway --cascade=orphan" in error
    release.api.ask("DELETE", release.path("apis/apps/v1", "statefulsets", "ampari-gateway"))
    release.upgrade("gateway.persistence.size=80Gi")
    config = release.api.ask("GET", release.path("api/v1", "configmaps", "ampari-gateway"))["data"]["gateway.yaml"]
    assert "max_bytes: 69632MiB" in config


def test_a_gateway_leaves_before_it_goes(release):
    release.upgrade(*TWO)
    error = release.upgrade(fails=True)
    assert "ampari-gateway-1 is still used by forwarders" in error and "gateway.leaving=[1]" in error
    release.upgrade(*TWO, "gateway.leaving={1}")
    forwarder = release.api.ask("GET", release.path("api/v1", "configmaps", "ampari-forwarder"))["data"]["forwarder.yaml"]
    assert "ampari-gateway-0." in forwarder and "ampari-gateway-1." not in forwarder
    assert strategy(release) == {"maxSurge": 0, "maxUnavailable": "10%"}
    assert release.api.ask("GET", release.path("apis/apps/v1", "statefulsets", "ampari-gateway"))["spec"]["replicas"] == 2
    release.upgrade()
    assert release.api.ask("GET", release.path("apis/apps/v1", "statefulsets", "ampari-gateway"))["spec"]["replicas"] == 1
    assert strategy(release) == {"maxSurge": 1, "maxUnavailable": 0}


def strategy(release):
    return release.api.ask("GET", release.path("apis/apps/v1", "daemonsets", "ampari-forwarder"))["spec"]["updateStrategy"]["rollingUpdate"]


def test_forwarders_do_not_overlap_when_their_gateways_change(release):
    release.upgrade()
    assert strategy(release) == {"maxSurge": 1, "maxUnavailable": 0}
    release.upgrade("forwarder.scrapeInterval=30s")
    assert strategy(release) == {"maxSurge": 1, "maxUnavailable": 0}
    release.upgrade(*TWO)
    assert strategy(release) == {"maxSurge": 0, "maxUnavailable": "10%"}


def admitted(release, pod):
    """(status, body) of a dry run of a pod in the release's namespace."""
    return release.api._ask("POST", release.path("api/v1", "pods") + "?dryRun=All", pod)


def pods_of(objects):
    for found in objects:
        if found["kind"] in ("StatefulSet", "DaemonSet"):
            pod = copy.deepcopy(found["spec"]["template"])
            claims = found["spec"].get("volumeClaimTemplates", [])
            pod["spec"]["volumes"] += [{"name": c["metadata"]["name"], "persistentVolumeClaim": {"claimName": "x"}} for c in claims]
            yield found["kind"], {"apiVersion": "v1", "kind": "Pod", "metadata": {**pod["metadata"], "name": "probe"}, "spec": pod["spec"]}
        elif found["kind"] == "Pod":
            yield "Pod", {**found, "metadata": {**found["metadata"], "namespace": None, "name": "probe"}}


LOGS = ["forwarder.logs.enabled=true", "region.logs.url=https://logs.example.com/loki/api/v1/push"]


@pytest.mark.parametrize("level, settings, refused", [
    ("restricted", [], set()),
    ("restricted", LOGS, {"DaemonSet"}),  # a hostPath: privileged only
    ("privileged", LOGS, set()),
])
def test_pod_security_admission(release, level, settings, refused):
    release.api.ask("PATCH", f"/api/v1/namespaces/{release.namespace}", {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}},
                    content_type="application/merge-patch+json")
    found = set()
    for kind, pod in pods_of(render(ONE, *set_flags(settings))):
        status, body = admitted(release, pod)
        assert status in (201, 403), body
        if status == 403:
            assert b"violates PodSecurity" in body, body
            found.add(kind)
    assert found == refused


@pytest.mark.parametrize("account, verb, resource, allowed", [
    ("ampari-forwarder", "list", "pods", True),
    ("ampari-forwarder", "watch", "pods", True),
    ("ampari-forwarder", "get", "pods", True),
    ("ampari-forwarder", "delete", "pods", False),
    ("ampari-forwarder", "get", "secrets", False),
    ("ampari-forwarder", "list", "nodes", False),
    ("ampari-forwarder", "get", "configmaps", False),
    ("ampari-gateway", "list", "pods", False),
])
def test_what_the_accounts_may_do(installed, account, verb, resource, allowed):
    review = installed.api.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
        "spec": {"user": f"system:serviceaccount:{installed.namespace}:{account}",
                 "resourceAttributes": {"verb": verb, "resource": resource, "namespace": "default"}}})
    assert review["status"]["allowed"] is allowed


@pytest.fixture(scope="module")
def installed(api):
    release = Release(api, "installed")
    release.upgrade()
    yield release
    release.helm("uninstall", "ampari")


@pytest.mark.parametrize("values", [v for v in chart.VALUES if v.stem not in ("cert-manager", "every-option")], ids=lambda p: p.stem)
def test_the_api_server_takes_every_layout(release, values):
    release.upgrade(values=values)
    release.upgrade(values=values)


def test_budget_in_the_notes_of_a_small_volume(release):
    notes = release.upgrade("gateway.persistence.size=5Gi", "estimate.series=1000000")
    # 4,352 MiB less twice 256 MiB and 64 MiB: 3,776 MiB; 1,000,000 x 86,400 / 15 x 2 bytes: 10.7 GiB a day.
    assert "of it for samples 3.7 GiB" in notes and "= 10.7 GiB" in notes and "=> 8.2 hours (the volume ends it first)" in notes


@pytest.mark.parametrize("values, lines", [
    ("one-cluster", [r"1 gateway and a forwarder on each node", r"each forwarder's ring of 64MiB holds about 14\.0 hours \(10 nodes\)", r"helm -n test-\d+ test ampari --logs"]),
    ("hub", [r"2 gateways in namespace", r"get secret ampari-forwarder-tokens -o jsonpath='\{\.data\.cluster-a\}'", r"get secret cluster-b -o jsonpath='\{\.data\.ampari\}'",
             r'forwarder\.gateway\.addresses=\["ampari-0\.example\.com:4750", "ampari-1\.example\.com:4750"\]']),
    ("spoke", [r"a forwarder on each node", r"rollout status daemonset/ampari-forwarder"]),
    ("first-try", [r"WARNING: there is no volume", r"WARNING: forwarders and gateway speak plaintext"]),
])
def test_notes(release, values, lines):
    notes = release.upgrade(values=values_file(values))
    for line in lines:
        assert re.search(line, notes), f"{line} is not in\n{notes}"
    assert ("OUTAGE BUDGET" in notes) == (values != "spoke") and "%!" not in notes
    assert not [token for name in GENERATED for token in release.found(name).values() if token in notes]


def test_one_release_beside_another(api):
    first, second = Release(api, "first"), Release(api, "second")
    first.upgrade()
    second.upgrade()
    assert first.generated() != second.generated()
    assert one(render(ONE), "ClusterRole")["metadata"]["name"] == "ampari-ampari-forwarder"
    for release in (first, second):
        release.helm("uninstall", "ampari")
