"""Field by field: security contexts, RBAC, network policies, secrets, probes and how pods end."""

import json

import pytest
import yaml

import chart
from chart import VALUES, of_kind, one, render, set_flags, values_file

chart.need("helm")
ONE, HUB, SPOKE = values_file("one-cluster"), values_file("hub"), values_file("spoke")
POD_CONTEXT = {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
               "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": {"type": "RuntimeDefault"}}
LOGS = ["forwarder.logs.enabled=true", "region.logs.url=https://logs.example.com/loki/api/v1/push"]
CONTEXT = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
# What the restricted Pod Security Standard lets a pod mount.
RESTRICTED_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def pod_of(workload):
    return workload if workload["kind"] == "Pod" else workload["spec"]["template"]


def pods(objects):
    return {o["kind"]: pod_of(o) for o in objects if o["kind"] in ("StatefulSet", "DaemonSet", "Pod")}


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "Pod"])
def test_restricted(kind):
    spec = pods(render(ONE))[kind]["spec"]
    assert spec["securityContext"] == POD_CONTEXT
    assert [c["securityContext"] for c in spec["containers"]] == [CONTEXT]
    assert "initContainers" not in spec
    for volume in spec["volumes"]:
        assert set(volume) - {"name"} <= RESTRICTED_VOLUMES
    for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        assert key not in spec
    assert all("hostPort" not in p for c in spec["containers"] for p in c.get("ports", []))


@pytest.mark.parametrize("values", VALUES, ids=lambda p: p.stem)
def test_no_container_gets_more(values):
    for pod in pods(render(values)).values():
        for container in pod["spec"]["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False and context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]} and not context.get("privileged")
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True


def test_logs_are_read_only_and_by_group():
    spec = pods(render(ONE, *set_flags(LOGS)))["DaemonSet"]["spec"]
    assert spec["securityContext"] == {**POD_CONTEXT, "supplementalGroups": [0]}
    host = [v for v in spec["volumes"] if "hostPath" in v]
    assert host == [{"name": "logs", "hostPath": {"path": "/var/log/pods", "type": "Directory"}}]
    assert {"name": "logs", "mountPath": "/var/log/pods", "readOnly": True} in spec["containers"][0]["volumeMounts"]
    assert not [v for v in pods(render(ONE))["DaemonSet"]["spec"]["volumes"] if "hostPath" in v]


def test_further_directories_are_read_only_at_their_own_path():
    spec = pods(render(ONE, *set_flags([*LOGS, "forwarder.logs.extraPaths={/var/lib/docker/containers}"])))["DaemonSet"]["spec"]
    assert {"name": "logs-0", "hostPath": {"path": "/var/lib/docker/containers", "type": "Directory"}} in spec["volumes"]
    assert {"name": "logs-0", "mountPath": "/var/lib/docker/containers", "readOnly": True} in spec["containers"][0]["volumeMounts"]


def test_every_mount_but_the_store_is_read_only():
    for values in VALUES:
        for pod in pods(render(values)).values():
            for mount in pod["spec"]["containers"][0]["volumeMounts"]:
                assert mount.get("readOnly") is True or mount == {"name": "store", "mountPath": "/var/lib/ampari"}


def test_who_gets_a_token_of_the_api_server():
    found = {kind: pod["spec"].get("automountServiceAccountToken") for kind, pod in pods(render(ONE)).items()}
    assert found == {"StatefulSet": False, "DaemonSet": True, "Pod": False}
    accounts = {a["metadata"]["name"]: a["automountServiceAccountToken"] for a in render(ONE) if a["kind"] == "ServiceAccount"}
    assert accounts == {"ampari-gateway": False, "ampari-forwarder": False}


PODS_ONLY = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]


@pytest.mark.parametrize("values, settings, kinds", [
    (ONE, [], {"ClusterRole": 1, "ClusterRoleBinding": 1}),
    (SPOKE, [], {"ClusterRole": 1, "ClusterRoleBinding": 1}),
    (HUB, [], {}),
    (ONE, ["forwarder.namespaces={shop,bank}"], {"Role": 2, "RoleBinding": 2}),
    (ONE, ["forwarder.rbac.create=false"], {}),
])
def test_rbac(values, settings, kinds):
    objects = [o for o in render(values, *set_flags(settings)) if o["apiVersion"].startswith("rbac.")]
    assert {k: sum(o["kind"] == k for o in objects) for k in {o["kind"] for o in objects}} == kinds
    for found in objects:
        if "rules" in found:
            assert found["rules"] == PODS_ONLY
        else:
            assert found["subjects"] == [{"kind": "ServiceAccount", "name": "ampari-forwarder", "namespace": "ampari"}]
            assert found["roleRef"]["name"] == found["metadata"]["name"]
            assert found["roleRef"]["kind"] == found["kind"].removesuffix("Binding")
    assert {o["metadata"].get("namespace") for o in objects if o["kind"] == "Role"} == \
        ({"shop", "bank"} if "Role" in kinds else set())


def test_namespaces_narrow_discovery():
    config = forwarder_config(values_file("every-option"))
    assert config["scrape_configs"][0]["kubernetes_sd_configs"] == [{"role": "pod", "namespaces": {"names": ["shop", "bank"]}}]
    assert "kubernetes_sd_configs" not in config["scrape_configs"][1]


def forwarder_config(values, *settings):
    return yaml.safe_load(of_kind(render(values, *settings), "ConfigMap")["ampari-forwarder" if "every" not in values.stem else "cargo-hold-forwarder"]["data"]["forwarder.yaml"])


def gateway_config(values, *settings):
    return yaml.safe_load(of_kind(render(values, *settings), "ConfigMap")["ampari-gateway"]["data"]["gateway.yaml"])


SECRETS = ["secret-of-the-region", "fedcba9876543210fedcba9876543210", "76543210fedcba9876543210fedcba98"]


@pytest.mark.parametrize("values", VALUES, ids=lambda p: p.stem)
def test_secrets_are_in_secrets_only(values):
    for found in render(values):
        if found["kind"] != "Secret":
            text = json.dumps(found)
            assert not [s for s in SECRETS if s in text]
            assert "PRIVATE KEY" not in text
        if found["kind"] == "ConfigMap":
            assert "password:" not in text and "credentials:" not in text
    for pod in pods(render(values)).values():
        for container in pod["spec"]["containers"]:
            assert not [e for e in container.get("env", []) if "secretKeyRef" in e.get("valueFrom", {})]
            assert "envFrom" not in container


def test_the_key_of_the_ca_is_mounted_nowhere():
    assert "ampari-ca" in of_kind(render(ONE), "Secret")
    for pod in pods(render(ONE)).values():
        assert '"ampari-ca"' not in json.dumps(pod)
    forwarder = pods(render(ONE))["DaemonSet"]["spec"]
    mounted = {v["name"]: [i["key"] for i in v["secret"]["items"]] for v in forwarder["volumes"] if "secret" in v}
    assert mounted == {"token": ["a"], "ca": ["ca.crt"]}


def test_generated_secrets_outlive_the_release():
    for name, secret in of_kind(render(ONE), "Secret").items():
        assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep", name


@pytest.mark.parametrize("kind, port, ready", [("StatefulSet", 4751, "/-/ready"), ("DaemonSet", 4752, "/-/ready?wait=gateway")])
def test_probes(kind, port, ready):
    container = pods(render(ONE))[kind]["spec"]["containers"][0]
    assert {p["name"]: p["containerPort"] for p in container["ports"]}["http"] == port
    gets = {p: container[p]["httpGet"] for p in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert gets == {"startupProbe": {"path": "/-/healthy", "port": "http"}, "livenessProbe": {"path": "/-/healthy", "port": "http"},
                    "readinessProbe": {"path": ready, "port": "http"}}


def test_how_pods_end_and_are_replaced():
    gateway, forwarder = one(render(ONE), "StatefulSet")["spec"], one(render(ONE), "DaemonSet")["spec"]
    assert forwarder["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert "--shutdown.grace=120s" in forwarder["template"]["spec"]["containers"][0]["args"]
    assert forwarder["template"]["spec"]["terminationGracePeriodSeconds"] == 150
    assert gateway["template"]["spec"]["terminationGracePeriodSeconds"] == 60
    assert gateway["podManagementPolicy"] == "Parallel"
    assert gateway["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert gateway["minReadySeconds"] == forwarder["minReadySeconds"] == 10
    budget = one(render(ONE), "PodDisruptionBudget")["spec"]
    assert budget["maxUnavailable"] == 1 and budget["selector"] == gateway["selector"]
    spread = {c["topologyKey"]: c["whenUnsatisfiable"] for c in gateway["template"]["spec"]["topologySpreadConstraints"]}
    assert spread == {"topology.kubernetes.io/zone": "ScheduleAnyway", "kubernetes.io/hostname": "ScheduleAnyway"}


def test_forwarders_are_on_every_node():
    spec = pods(render(ONE))["DaemonSet"]["spec"]
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert spec["priorityClassName"] == "system-node-critical"
    assert spec["containers"][0]["env"] == [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]


def test_configuration_changes_restart_their_pods_and_no_others():
    def checksums(*settings):
        return {k: p["metadata"]["annotations"]["checksum/config"] for k, p in pods(render(ONE, *set_flags(settings))).items() if k != "Pod"}
    before = checksums()
    gateway, forwarder = checksums("gateway.storage.maxAge=24h"), checksums("forwarder.scrapeInterval=30s")
    assert gateway["StatefulSet"] != before["StatefulSet"] and gateway["DaemonSet"] == before["DaemonSet"]
    assert forwarder["DaemonSet"] != before["DaemonSet"] and forwarder["StatefulSet"] == before["StatefulSet"]
    # Programs read changed secrets themselves.
    assert checksums("region.auth.existingSecret=", "region.auth.token=one") == checksums("region.auth.existingSecret=", "region.auth.token=two")


@pytest.mark.parametrize("size, given, wanted", [
    ("50Gi", "", "43520MiB"), ("1Gi", "", "870MiB"), ("100G", "", "81062MiB"), ("50Gi", "40GiB", "40960MiB"), ("50Gi", "40G", "40000000000B"),
])
def test_budget_of_the_store(size, given, wanted):
    storage = gateway_config(ONE, *set_flags([f"gateway.persistence.size={size}", f"gateway.storage.maxBytes={given}"]))["storage"]
    assert storage == {"directory": "/var/lib/ampari/store", "max_bytes": wanted, "max_age": "72h"}


def selector(component):
    return {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "ampari", "app.kubernetes.io/instance": "ampari",
                                            "app.kubernetes.io/component": component}}}


def tcp(*ports):
    return [{"protocol": "TCP", "port": p} for p in ports]


DNS = {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
MONITORING = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}


def policies(values, *settings):
    return {n: p["spec"] for n, p in of_kind(render(values, *set_flags(settings)), "NetworkPolicy").items()}


def test_policy_of_the_gateway():
    policy = policies(ONE)["ampari-gateway"]
    assert policy["podSelector"] == selector("gateway")["podSelector"] and policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["ingress"] == [
        {"from": [selector("forwarder"), selector("canary")], "ports": tcp("grpc", "http")},
        {"from": [MONITORING], "ports": tcp("http")}]
    assert policy["egress"] == [DNS, {"ports": tcp(443)}]


def test_policy_of_a_hub():
    assert policies(HUB)["ampari-gateway"]["ingress"][0] == {
        "from": [{"ipBlock": {"cidr": "10.1.0.0/16"}}, {"ipBlock": {"cidr": "10.2.0.0/16"}}], "ports": tcp("grpc")}
    assert set(policies(HUB)) == {"ampari-gateway"}


def test_policy_of_the_forwarder():
    policy = policies(ONE)["ampari-forwarder"]
    assert policy["ingress"] == [{"from": [selector("forwarder"), MONITORING], "ports": tcp("http")}]
    assert policy["egress"] == [DNS, {"to": [{"namespaceSelector": {}}]}, {"ports": tcp(443, 6443)},
                                {"ports": tcp(4750, 4751), "to": [selector("gateway")]}]
    assert policies(SPOKE)["ampari-forwarder"]["egress"][-1] == {"ports": tcp(4750)}


def test_policy_of_the_test_pod():
    policy = policies(ONE)["ampari-canary"]
    assert "ingress" not in policy and policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["egress"] == [DNS, {"ports": tcp(4750, 4751), "to": [selector("gateway")]}]


@pytest.mark.parametrize("values, ports", [
    ("two-regions", [443, 9443, 3100]), ("tenants", [443]), ("every-option", [8443, 3100]),
])
def test_policy_knows_the_ports_of_the_regions(values, ports):
    policy = next(p for n, p in policies(values_file(values)).items() if n.endswith("-gateway"))
    assert policy["egress"][1]["ports"] == tcp(*ports)


def test_no_policies():
    assert policies(ONE, "networkPolicy.enabled=false") == {}


def test_forwarders_use_the_stable_names_of_those_that_stay():
    host = "ampari-gateway-{}.ampari-gateway.ampari.svc.cluster.local:4750"
    assert forwarder_config(values_file("gateway-leaves"))["gateway"]["addresses"] == [host.format(0), host.format(1)]
    service = of_kind(render(ONE), "Service")["ampari-gateway"]["spec"]
    assert service["clusterIP"] == "None" and service["publishNotReadyAddresses"] is True
    assert one(render(ONE), "StatefulSet")["spec"]["serviceName"] == "ampari-gateway"


def test_entries():
    assert gateway_config(HUB)["forwarders"] == [
        {"name": "cluster-a", "labels": {"cluster": "cluster-a"}, "token_file": "/etc/ampari/tokens/cluster-a"},
        {"name": "cluster-b", "labels": {"cluster": "b", "site": "north"}, "token_file": "/etc/ampari/tokens/cluster-b"}]
    sources = next(v for v in pods(render(HUB))["StatefulSet"]["spec"]["volumes"] if v["name"] == "tokens")["projected"]["sources"]
    assert sources == [
        {"secret": {"name": "cluster-b", "items": [{"key": "ampari", "path": "cluster-b"}]}},
        {"secret": {"name": "ampari-forwarder-tokens", "items": [{"key": "cluster-a", "path": "cluster-a"}]}}]
    assert set(of_kind(render(HUB), "Secret")["ampari-forwarder-tokens"]["data"]) == {"cluster-a"}
    # Other clusters' labels come on top of the name.
    assert gateway_config(values_file("tenants"))["tenants"][0]["forwarders"][1]["labels"] == {"cluster": "b", "zone": "z1"}


def test_images():
    images = {p["spec"]["containers"][0]["image"] for p in pods(render(ONE)).values()}
    assert images == {"ampari:" + yaml.safe_load((chart.CHART / "Chart.yaml").read_text())["appVersion"]}
    digest = "sha256:" + "ab" * 32
    images = {p["spec"]["containers"][0]["image"] for p in pods(render(ONE, *set_flags(["image.tag=x", f"image.digest={digest}"]))).values()}
    assert images == {f"ampari@{digest}"}


@pytest.mark.parametrize("values, settings, arguments", [
    (ONE, [], []),
    (SPOKE, [], ["--gateway-status=none"]),
    (values_file("spoke-given-inline"), [], ["--gateway-status=http://ampari.example.com:4751"]),
    (ONE, ["forwarder.skipUnsupportedJobs=true"], ["--skip-unsupported-jobs"]),
])
def test_the_test_pod(values, settings, arguments):
    pod = one(render(values, *set_flags(settings)), "Pod")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    container = pod["spec"]["containers"][0]
    assert container["command"] == ["ampari-forwarder"]
    assert container["args"] == ["canary", "--config.file=/etc/ampari/config/forwarder.yaml", "--timeout=60s", *arguments]
    forwarder = pods(render(values, *set_flags(settings)))["DaemonSet"]["spec"]
    assert container["volumeMounts"] == forwarder["containers"][0]["volumeMounts"] and pod["spec"]["volumes"] == forwarder["volumes"]
