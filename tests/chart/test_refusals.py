"""Combinations that would lose data, or cannot work, are refused with the reason; unknown and wrong values by the schema."""

import subprocess

import pytest

import chart
from chart import CHART, run_template, set_flags, values_file

chart.need("helm")
ONE, HUB, SPOKE = values_file("one-cluster"), values_file("hub"), values_file("spoke")
LOGS = ["forwarder.logs.enabled=true", "region.logs.url=https://logs.example.com/loki/api/v1/push"]
DIGEST = "sha256:" + "0" * 63


def refusal(values, settings):
    done = run_template(*(["--values", str(values)] if values else []), *set_flags(settings))
    assert done.returncode != 0, "this renders"
    return done.stderr


@pytest.mark.parametrize("values, settings, words", [
    # Nowhere to deliver to.
    (None, ["cluster=a"], "region.url: no region is named"),
    (HUB, ["region.url="], "region.url: no region is named"),
    (ONE, ["region.tenant="], "region.tenant: no tenant is named"),
    (ONE, ["region.url=http://x/api/v1/push"], "http:// sends samples and token readable"),
    (ONE, ["region.auth.existingSecret="], "region.auth: there is no token"),
    (ONE, ["region.auth.token=x"], "region.auth: give token or existingSecret, not both"),
    (ONE, ['gateway.remoteWrite=[{"name": "b", "url": "https://b"}]'], "give one of them"),
    (ONE, ['gateway.tenants=[{"id": "b"}]'], "give one of them"),
    (values_file("tenants"), ['gateway.forwarders=[{"name": "x"}]'], "belong inside each tenant"),
    (None, ["cluster=a", 'gateway.tenants=[{"id": "t", "forwarders": [{"name": "a"}]}]'], 'tenant "t" has no remote_write'),
    (ONE, ["forwarder.logs.enabled=true"], "nowhere to deliver this cluster's logs; set region.logs.url"),
    (values_file("tenants"), ["forwarder.logs.enabled=true"], "nowhere to deliver this cluster's logs"),
    (ONE, [*LOGS, "forwarder.logs.logConfigs=[]"], "forwarder.logs.logConfigs: there are no jobs: nothing would be read"),
    (ONE, ["region.logs.url=http://x/loki/api/v1/push"], "http:// sends lines and token readable"),
    (ONE, ["region.auth.type=none", "region.auth.existingSecret=", *LOGS], "region.auth: there is no token"),
    (ONE, [*LOGS, 'gateway.lokiWrite=[{"name": "b", "url": "https://b"}]'], "region.logs.url, gateway.lokiWrite: give one of them"),
    (None, ["cluster=a", 'gateway.remoteWrite=[{"name": "b", "url": "https://b"}]', *LOGS], "region.logs.url: goes with region.url"),
    (values_file("tenants"), ['gateway.lokiWrite=[{"name": "b", "url": "https://b"}]'], "belong inside each tenant (loki_write)"),
    # What is stored would go.
    (ONE, ["gateway.persistence.enabled=false"], "is lost with the pod"),
    (ONE, ["gateway.persistence.retentionPolicy.whenDeleted=Delete"], "whenDeleted: Delete removes the volume"),
    (ONE, ["gateway.persistence.retentionPolicy.whenScaled=Delete"], "whenScaled: Delete removes the volume"),
    (ONE, ["gateway.storage.maxBytes=50Gi"], "does not fit into a volume of 50Gi"),
    (ONE, ["gateway.storage.maxBytes=49GiB"], "does not fit into a volume of 50Gi"),
    (ONE, ["gateway.storage.maxBytes=60GB"], "does not fit into a volume of 50Gi"),
    (ONE, ["gateway.storage.maxBytes=511MiB"], "511 MiB is less than the 512 MiB"),
    (ONE, ["gateway.persistence.size=600Mi"], "510 MiB is less than the 512 MiB that the store needs; raise gateway.persistence.size"),
    (ONE, ["gateway.storage.maxBytes=much"], '"much" is not a size'),
    (ONE, ["gateway.persistence.size=50 GB"], '"50 GB" is not a size'),
    # Killed before it has drained.
    (ONE, ["gateway.terminationGracePeriodSeconds=29"], "29 is less than the 30 s"),
    (ONE, ["forwarder.terminationGracePeriodSeconds=124"], "124 ends the forwarder before its drain of 120 s"),
    (ONE, ["forwarder.drainSeconds=146"], "set at least 151"),
    (ONE, ["forwarder.ringBytes=512MiB"], "forwarder.resources.limits.memory: 512Mi is less than the ring"),
    (ONE, ["forwarder.ringBytes=x"], 'forwarder.ringBytes: "x" is not a size'),
    (ONE, ["forwarder.logs.ringBytes=x"], 'forwarder.logs.ringBytes: "x" is not a size'),
    (ONE, [*LOGS, "forwarder.logs.ringBytes=400MiB"], "512Mi is less than the rings (64MiB and 400MiB of logs) and 64 MiB"),
    # Forwarders that do not find their gateways.
    (ONE, ["gateway.replicas=2", 'forwarder.gateway.addresses=["ampari-gateway-0.x:4750"]'], "ampari-gateway-1 is not listed"),
    (ONE, ["gateway.replicas=2", 'forwarder.gateway.addresses=["ampari-gateway.x:4750"]'], "ampari-gateway-0 is not listed"),
    (ONE, ["gateway.replicas=2", "gateway.leaving={1}", 'forwarder.gateway.addresses=["ampari-gateway-0.x:4750", "ampari-gateway-1.x:4750"]'],
     "ampari-gateway-1 leaves, and forwarder.gateway.addresses still lists it"),
    (ONE, ["gateway.leaving={0}"], "every gateway would leave"),
    (ONE, ["gateway.replicas=3", "gateway.leaving={0}"], "0 cannot leave"),
    (ONE, ["gateway.replicas=3", "gateway.leaving={3}"], "3 cannot leave"),
    (SPOKE, ["forwarder.gateway.addresses=[]"], "forwarder.gateway.addresses: no gateway is named"),
    (SPOKE, ["forwarder.gateway.existingSecret="], "there is no token: the hub would let nobody in"),
    (SPOKE, ["forwarder.gateway.token=x"], "forwarder.gateway: give token or existingSecret, not both"),
    (ONE, ["forwarder.scrapeConfigs=[]"], "nothing would be scraped"),
    (ONE, ["gateway.enabled=false", "forwarder.enabled=false"], "nothing would be installed"),
    # Who may connect.
    (ONE, ["cluster="], "cluster: this cluster has no name"),
    (ONE, ["forwarder.enabled=false"], "gateway.forwarders: nobody could connect"),
    (HUB, ["networkPolicy.spokeCIDRs=[]"], "networkPolicy.spokeCIDRs: forwarders of other clusters may connect"),
    (HUB, ['gateway.forwarders=[{"name": "a"}, {"name": "a"}]'], '"a" is given twice'),
    (HUB, ['gateway.forwarders=[{"name": "a", "existingSecret": "s"}, {"name": "b", "existingSecret": "s"}]'], '"b" shares its token'),
    (HUB, ['gateway.forwarders=[{"name": "a", "existingSecret": "s", "token": "0123456789abcdef"}]'], "give token or existingSecret"),
    (values_file("tenants"), ["cluster=z"], 'no tenant has a forwarders entry named "z"'),
    # Readable on the way, or in a ConfigMap.
    (ONE, ["tls.mode=plaintext"], "tls.mode: plaintext sends samples and tokens readable"),
    (SPOKE, ["tls.mode=plaintext"], "tls.mode: plaintext sends samples and tokens readable"),
    (ONE, ["tls.mode=secret"], "tls.secret.name: mode secret needs"),
    (ONE, ["tls.mode=certManager"], "tls.certManager.issuerRef: mode certManager needs"),
    (ONE, ["region.extra.basic_auth.password=x"], "region.extra.basic_auth.password: a secret in the clear"),
    (ONE, ["region.extra.proxy_url=http://u:p@proxy"], "region.extra.proxy_url: a secret in the clear"),
    (None, ["cluster=a", 'gateway.remoteWrite=[{"name": "b", "url": "https://u:p@b/push"}]'], "gateway.remoteWrite[0].url: a secret in the clear"),
    (None, ["cluster=a", 'gateway.remoteWrite=[{"name": "b", "url": "https://b", "authorization": {"credentials": "x"}}]'],
     "gateway.remoteWrite[0].authorization.credentials: a secret in the clear"),
    (None, ["cluster=a", 'gateway.tenants=[{"id": "t", "forwarders": [{"name": "a"}], "remote_write": [{"name": "r", "url": "https://b", "tls_config": {"key": "x"}}]}]'],
     "gateway.tenants[0].remote_write[0].tls_config.key: a secret in the clear"),
    (ONE, ["region.logs.extra.basic_auth.password=x"], "region.logs.extra.basic_auth.password: a secret in the clear"),
    (ONE, ['gateway.lokiWrite=[{"name": "b", "url": "https://u:p@b"}]'], "gateway.lokiWrite[0].url: a secret in the clear"),
    (ONE, ['forwarder.scrapeConfigs=[{"job_name": "x", "basic_auth": {"password": "x"}}]'], "forwarder.scrapeConfigs[0].basic_auth.password: a secret"),
    (ONE, ['forwarder.logs.logConfigs=[{"job_name": "x", "kubernetes_sd_configs": [{"role": "pod", "basic_auth": {"password": "x"}}]}]'],
     "forwarder.logs.logConfigs[0].kubernetes_sd_configs[0].basic_auth.password: a secret"),
    (ONE, ['forwarder.scrapeConfigs=[{"job_name": "x", "http_headers": {"A": {"secrets": ["x"]}}}]'], "http_headers.A.secrets: a secret"),
])
def test_refused(values, settings, words):
    error = refusal(values, settings)
    assert "refused:" in error and words in error


def test_all_reasons_at_once():
    error = refusal(None, ["tls.mode=plaintext", "gateway.persistence.enabled=false", "forwarder.drainSeconds=200"])
    assert [line.split(":")[0] for line in error.split("refused:\n")[1].split("\n\n")[0].splitlines()] == [
        "tls.mode", "region.url", "gateway.persistence.enabled", "cluster", "forwarder.terminationGracePeriodSeconds"]


@pytest.mark.parametrize("settings, words", [
    (["gateway.replica=2"], "'/gateway': additional properties 'replica' not allowed"),
    (["gateways.replicas=2"], "additional properties 'gateways' not allowed"),
    (["region.tenantt=x"], "'/region': additional properties 'tenantt' not allowed"),
    (["region.auth.password=x"], "'/region/auth': additional properties 'password' not allowed"),
    (["region.limits.max_label_name=1"], "'/region/limits': additional properties 'max_label_name' not allowed"),
    (["forwarder.logs.path=/x"], "'/forwarder/logs': additional properties 'path' not allowed"),
    (["forwarder.logs.extraPaths={/}"], "'/forwarder/logs/extraPaths/0': '/' does not match"),
    (["forwarder.logs.extraPaths={/var/../etc}"], "'/forwarder/logs/extraPaths/0': '/var/../etc' does not match"),
    (["forwarder.logs.extraPaths={var/log}"], "'/forwarder/logs/extraPaths/0': 'var/log' does not match"),
    (["region.logs.authType=oauth2"], "'/region/logs/authType': value must be one of"),
    (["region.logs.limits.max_line=1"], "'/region/logs/limits': additional properties 'max_line' not allowed"),
    (["region.logs.url=logs.example.com"], "'/region/logs/url': 'logs.example.com' does not match"),
    (['gateway.lokiWrite=[{"url": "https://x"}]'], "missing property 'name'"),
    (["tls.certManager.issuer=x"], "additional properties 'issuer' not allowed"),
    (["gateway.replicas=0"], "'/gateway/replicas': minimum: got 0, want 1"),
    (["gateway.replicas=two"], "'/gateway/replicas': got string, want integer"),
    (["gateway.podDisruptionBudget.maxUnavailable=0"], "'/gateway/podDisruptionBudget/maxUnavailable': minimum"),
    (["gateway.persistence.accessModes={ReadWriteMany}"], "'/gateway/persistence/accessModes/0': value must be one of"),
    (["gateway.storage.maxAge=3 days"], "'/gateway/storage/maxAge': '3 days' does not match"),
    (['gateway.forwarders=[{"labels": {}}]'], "missing property 'name'"),
    (['gateway.forwarders=[{"name": "../a"}]'], "'/gateway/forwarders/0/name': '../a' does not match"),
    (['gateway.forwarders=[{"name": "a", "token": "short"}]'], "'/gateway/forwarders/0/token': minLength: got 5, want 16"),
    (['gateway.remoteWrite=[{"url": "https://x"}]'], "missing property 'name'"),
    (['gateway.tenants=[{"id": "a", "remoteWrite": []}]'], "additional properties 'remoteWrite' not allowed"),
    (["cluster=a/b"], "'/cluster'"),
    (["image.digest=" + DIGEST], "'/image/digest'"),
    (["image.pullPolicy=Sometimes"], "'/image/pullPolicy': value must be one of"),
    (["region.url=metrics.example.com"], "'/region/url': 'metrics.example.com' does not match"),
    (["region.tenant=a/b"], "'/region/tenant'"),
    (["region.auth.type=oauth2"], "'/region/auth/type': value must be one of"),
    (["tls.mode=none"], "'/tls/mode': value must be one of"),
    (["forwarder.gateway.addresses={gateway}"], "'/forwarder/gateway/addresses/0': 'gateway' does not match"),
    (["forwarder.drainSeconds=0"], "'/forwarder/drainSeconds': minimum"),
    (["networkPolicy.spokeCIDRs={10.0.0.1}"], "'/networkPolicy/spokeCIDRs/0': '10.0.0.1' does not match"),
    (["estimate.series=0"], "'/estimate/series': minimum"),
])
def test_schema_refuses(settings, words):
    error = refusal(ONE, settings)
    assert "values don't meet the specifications of the schema" in error and words in error


@pytest.mark.parametrize("values, settings", [
    (ONE, ["gateway.storage.maxBytes=47GiB"]),
    (ONE, ["gateway.persistence.size=700Mi"]),
    (ONE, ["forwarder.drainSeconds=145"]),
    (ONE, ["gateway.replicas=2", 'forwarder.gateway.addresses=["ampari-gateway-0.x:4750", "ampari-gateway-1:4750"]']),
    (ONE, ["forwarder.resources.limits.memory=null", "forwarder.ringBytes=4GiB"]),
    (HUB, ["networkPolicy.enabled=false", "networkPolicy.spokeCIDRs=[]"]),
    (ONE, ["gateway.podSecurityContext.runAsUser=null", "forwarder.podSecurityContext.fsGroup=null"]),
    (ONE, ["global.anything=x"]),
])
def test_not_refused(values, settings):
    done = run_template("--values", str(values), *set_flags(settings))
    assert done.returncode == 0, done.stderr


def test_kubernetes_too_old():
    done = subprocess.run([chart.need("helm"), "template", "x", str(CHART), "--kube-version", "1.26.9", "--values", str(ONE)], capture_output=True, text=True)
    assert "chart requires kubeVersion" in done.stderr
