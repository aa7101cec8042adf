"""TLS on both hops, tokens that are rotated, and secrets that show nowhere."""

import base64
import copy
import ssl

import yaml
from certificates import Authority
from support import assert_exact, balanced, complete_until, destination, finish, scrapes, wait_for_delivery, wait_for_scrapes

from stack.process import fetch, wait_until
from stack.programs import metric


def entry(token_file, **labels):
    return {"name": "cluster-a", "token_file": str(token_file), "labels": labels}


def tls(certificate):
    return {"insecure": False, "tls_config": {"cert_file": str(certificate.cert), "key_file": str(certificate.key)}}


def trusting(ca, token_file):
    return {"insecure": False, "token_file": str(token_file), "tls_config": {"ca_file": str(ca)}}


def secret(directory, name, content):
    path = directory / name
    path.write_text(content)
    path.chmod(0o600)
    return path


def delivered_all(gateway):
    ledger = gateway.ledger()
    assert balanced(ledger) and ledger["delivered"] == ledger["accepted"] > 0, ledger


def test_tls_on_both_hops(chain):
    authority = Authority(chain.directory)
    region = chain.region(certificate=authority.issue("region-server"))
    mesh, token = chain.mesh(), secret(chain.directory, "token", "right\n")
    to_region = {**destination(region), "tls_config": {"ca_file": str(authority.ca)}}
    gateway = chain.gateway([to_region], forwarders=[entry(token, cluster="a")], grpc=tls(authority.issue("gateway-server")))
    forwarder = chain.forwarder(gateway.address, [mesh.targets], gateway=trusting(authority.ca, token))
    wait_for_scrapes(forwarder, 4)
    assert_exact(mesh, region, finish(forwarder, gateway), "--extra-label", "cluster=a")
    delivered_all(gateway)


def test_a_wrong_ca_is_refused_with_words_and_costs_nothing(chain):
    authority, stranger = Authority(chain.directory), Authority(chain.directory, "stranger")
    region, mesh = chain.region(certificate=stranger.issue("region-server")), chain.mesh()
    token = secret(chain.directory, "token", "right\n")
    to_region = {**destination(region), "tls_config": {"ca_file": str(authority.ca)}}
    gateway = chain.gateway([to_region], forwarders=[entry(token)], grpc=tls(authority.issue("gateway-server")))
    forwarder = chain.forwarder(gateway.address, [mesh.targets], start=False, gateway=trusting(stranger.ca, token))
    forwarder.process.start()
    wait_until(lambda: fetch(f"{forwarder.base}/-/healthy")[0] == 200, "the forwarder runs", process=forwarder.process)
    wait_until(lambda: "certificate" in forwarder.process.tail(200).lower(), "the forwarder says that it is the certificate",
               process=forwarder.process)
    wait_for_scrapes(forwarder, 3)
    assert not gateway.json("/api/v1/forwarders")["instances"]
    forwarder.config["gateway"]["tls_config"]["ca_file"] = str(authority.ca)
    forwarder.process.stop(5)  # what it scraped until now was never acknowledged
    chain_begin = sum(1 for _ in open(mesh.log))
    assert chain_begin > 0
    forwarder.config_file.write_text(yaml.safe_dump(forwarder.config))
    forwarder.start()
    wait_for_scrapes(forwarder, 3)
    wait_until(lambda: "certificate" in str(gateway.json("/api/v1/destinations")).lower(), "the gateway says that it is the certificate")
    assert gateway.ledger()["delivered"] == 0 and gateway.ledger()["pending"] > 0
    config = copy.deepcopy(gateway.config)
    config["remote_write"][0]["tls_config"]["ca_file"] = str(stranger.ca)
    gateway.rewrite(config)
    finish(forwarder, gateway)
    delivered_all(gateway)
    assert region.tenant()["samples"] == gateway.ledger()["delivered"]


def test_ca_file_replaced_while_running(chain):
    """The ring holds what was scraped while the certificate was not trusted; a new file is all that it needs."""
    authority, stranger = Authority(chain.directory), Authority(chain.directory, "stranger")
    region, mesh = chain.region(), chain.mesh()
    token, ca = secret(chain.directory, "token", "right\n"), secret(chain.directory, "trusted.pem", stranger.ca.read_text())
    gateway = chain.gateway([destination(region)], forwarders=[entry(token)], grpc=tls(authority.issue("gateway-server")))
    forwarder = chain.forwarder(gateway.address, [mesh.targets], start=False, gateway=trusting(ca, token))
    forwarder.process.start()
    wait_until(lambda: fetch(f"{forwarder.base}/targets")[0] == 200, "the forwarder runs", process=forwarder.process)
    wait_for_scrapes(forwarder, 3)
    ca.write_text(authority.ca.read_text())
    wait_until(lambda: gateway.ledger()["accepted"] > 0, "the forwarder trusts the gateway", process=forwarder.process)
    wait_for_scrapes(forwarder, scrapes(forwarder) + 1)
    assert_exact(mesh, region, finish(forwarder, gateway))
    delivered_all(gateway)


def served_certificate(gateway):
    """What a new connection is shown now; None while there is none to be had."""
    try:
        return ssl.get_server_certificate(("127.0.0.1", gateway.grpc_port), timeout=30)
    except OSError:
        return None


def test_gateway_certificate_replaced_while_running(chain):
    """New connections are shown the new certificate; the old ones go on."""
    authority, successor = Authority(chain.directory), Authority(chain.directory, "successor")
    region, meshes = chain.region(), [chain.mesh(name=f"mesh-{n}", sidecars=1, seed=n) for n in (1, 2)]
    token, first, second = secret(chain.directory, "token", "right\n"), authority.issue("first"), successor.issue("second")
    gateway = chain.gateway([destination(region)], forwarders=[entry(token)], grpc=tls(first))
    old = chain.forwarder(gateway.address, [meshes[0].targets], name="old", gateway=trusting(authority.ca, token))
    wait_for_scrapes(old, 2)
    shown = served_certificate(gateway)
    assert shown.strip() == first.cert.read_text().strip()
    first.key.write_text(second.key.read_text())
    first.cert.write_text(second.cert.read_text())
    wait_until(lambda: served_certificate(gateway) not in (None, shown), "the new certificate is served", process=gateway.process)
    assert served_certificate(gateway).strip() == second.cert.read_text().strip()
    new = chain.forwarder(gateway.address, [meshes[1].targets], name="new", gateway=trusting(successor.ca, token))
    wait_for_scrapes(new, 2)
    wait_for_scrapes(old, scrapes(old) + 1)
    for forwarder in (old, new):
        assert metric(forwarder.metrics(), "ampari_forwarder_connects_total") == 1, forwarder.process.tail()
    stopped = complete_until(old, new)
    assert old.process.stop() == 0 and new.process.stop() == 0
    wait_for_delivery(gateway)
    for mesh in meshes:
        assert_exact(mesh, region, stopped)
    delivered_all(gateway)


def test_token_rotated_while_running(chain):
    region, mesh = chain.region(), chain.mesh()
    at_gateway, at_forwarder = secret(chain.directory, "gateway-token", "old\n"), secret(chain.directory, "node-token", "old\n")
    gateway = chain.gateway([destination(region)], forwarders=[entry(at_gateway)])
    relay = chain.relay(gateway.address)
    forwarder = chain.forwarder(relay.address, [mesh.targets], gateway={"token_file": str(at_forwarder)})
    wait_for_scrapes(forwarder, 2)
    at_gateway.write_text("new\nold\n")
    wait_for_scrapes(forwarder, scrapes(forwarder) + 1)
    at_forwarder.write_text("new\n")
    relay.tell("cut")
    wait_for_scrapes(forwarder, scrapes(forwarder) + 2)
    at_gateway.write_text("new\n")
    gateway.process.kill()
    gateway.start()
    accepted = gateway.ledger()["accepted"]
    wait_until(lambda: gateway.ledger()["accepted"] > accepted, "the new token lets the forwarder in", process=forwarder.process)
    assert_exact(mesh, region, finish(forwarder, gateway))
    delivered_all(gateway)


SECRETS = ("canary-forwarder", "canary-second", "canary-bearer", "canary-password", "canary-header", "canary-url", "canary-http")
BASIC = ("canary-password", "canary-url")  # these travel as basic authentication


def planted(chain):
    """A destination for each place that takes a secret, each with a region of its own that refuses and repeats the secret."""
    password = secret(chain.directory, "password", "canary-password\n")
    places = {
        "bearer": {"authorization": {"credentials": "canary-bearer"}},
        "basic": {"basic_auth": {"username": "me", "password_file": str(password)}},
        "header": {"headers": {"X-Api-Key": "canary-header"}},
        "url": {},
    }
    regions, destinations = [], []
    for name, settings in places.items():
        region = chain.region(name=f"region-{name}")
        regions.append(region)
        destinations.append({**destination(region), **settings, "name": name})
    destinations[3]["url"] = regions[3].url.replace("//", "//me:canary-url@")
    return regions, destinations


def repeat_secrets(regions, status):
    for region, word in zip(regions, ("canary-bearer", "canary-password", "canary-header", "canary-url")):
        region.control(mode="status", status=status, status_body=f"no-{word}-{basic(word) if word in BASIC else word}-{word}")


def basic(password):
    return base64.b64encode(f"me:{password}".encode()).decode()


def everything_said(gateway, forwarder):
    """{where: text}, ends the programs for their last words."""
    texts = {}
    for name, program in (("gateway", gateway), ("forwarder", forwarder)):
        texts[f"{name} print-config"] = program.command("print-config")[1]
        texts[f"{name} check-config"] = "".join(program.command("check-config")[1:])
        assert "<secret>" in texts[f"{name} print-config"]
    for page in ("metrics", "", "api/v1/status/ledger", "api/v1/queue", "api/v1/forwarders", "api/v1/destinations",
                 "api/v1/dead_letters"):
        texts[f"gateway /{page}"] = fetch(f"{gateway.base}/{page}")[1].decode()
    for page in ("metrics", "", "targets", "-/ready"):
        texts[f"forwarder /{page}"] = fetch(f"{forwarder.base}/{page}")[1].decode()
    forwarder.process.stop()
    gateway.process.stop()
    texts["gateway's log"], texts["forwarder's log"] = gateway.process.log.read_text(), forwarder.process.log.read_text()
    return texts


def test_secrets_show_nowhere(chain):
    """One planted in every place that takes a secret; the regions even repeat them in their answers."""
    mesh = chain.mesh(sidecars=1)
    regions, destinations = planted(chain)
    repeat_secrets(regions, 401)
    tokens = secret(chain.directory, "tokens", "canary-forwarder\ncanary-second\n")
    gateway = chain.gateway(destinations, forwarders=[entry(tokens)], http={"token": "canary-http"})
    job = {"job_name": "with-secrets", "static_configs": [{"targets": [f"127.0.0.1:{regions[0].control_port}"]}],
           "basic_auth": {"username": "me", "password": "canary-password"}, "metrics_path": "/metadata"}
    forwarder = chain.forwarder(gateway.address, [mesh.targets], jobs=[job], gateway={"token": "canary-forwarder"},
                                http={"token": "canary-http"})
    wait_for_scrapes(forwarder, 3)
    failing = lambda: all("401" in d["last_error"] for d in gateway.json("/api/v1/destinations")["destinations"])
    wait_until(failing, "every destination is refused and says so", process=gateway.process)
    repeat_secrets(regions, 400)
    wait_until(lambda: len({d["response"] for d in gateway.json("/api/v1/dead_letters")["dead_letters"]}) >= 1, "dead letters")
    hidden = (*SECRETS, *(basic(word) for word in BASIC))
    found = {(place, s) for place, text in everything_said(gateway, forwarder).items() for s in hidden if s in text}
    assert not found, found


def test_a_wrong_token_is_not_repeated_by_a_reload(chain):
    """What a configuration that is refused says of itself holds no secret either."""
    region = chain.region()
    gateway = chain.gateway([{**destination(region), "authorization": {"credentials": "canary-bearer"}}])
    gateway.config_file.write_text(gateway.config_file.read_text().replace("credentials:", "credentialls:"))
    status, body = fetch(f"{gateway.base}/-/reload", data=b"")
    assert status >= 400 and b"credentialls" in body and b"canary-bearer" not in body, body
    assert "canary-bearer" not in gateway.process.log.read_text()
