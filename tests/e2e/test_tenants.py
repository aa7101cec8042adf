"""Two tenants, two clusters with equal names: nothing meets, nobody waits for the other."""

from support import assert_no_trouble, balanced, destination, wait_for_scrapes

from stack.process import wait_until


def entry(name, token, cluster):
    return {"name": name, "token": token, "labels": {"cluster": cluster}}


def cluster_of(series):
    return series.split('cluster="', 1)[1].split('"', 1)[0] if 'cluster="' in series else None


def test_two_clusters_with_equal_names_into_one_tenant(chain):
    region = chain.region()
    mesh = chain.mesh(sidecars=2)
    gateway = chain.gateway([destination(region)], forwarders=[entry("east", "token-east", "east"), entry("west", "token-west", "west")])
    for name in ("east", "west"):
        forwarder = chain.forwarder(gateway.address, [mesh.targets], name=f"forwarder-{name}",
                                    gateway={"name": "node-1", "token": f"token-{name}"})
        wait_for_scrapes(forwarder, 3)

    def both_arrive():
        samples = region.samples()
        east, west = ({s.replace(f'cluster="{name}"', "") for s in samples if cluster_of(s) == name} for name in ("east", "west"))
        assert {cluster_of(s) for s in samples} <= {"east", "west"}
        return east == west and len(east) > 100
    wait_until(both_arrive, "the same series of both clusters arrive", process=gateway.process)
    assert_no_trouble(region)


def test_one_tenant_held_does_not_delay_the_other(chain):
    good, bad = chain.region(name="good"), chain.region(name="bad")
    mesh = chain.mesh(sidecars=2)
    tenants = [{"id": "alpha", "forwarders": [entry("a", "token-a", "a")], "remote_write": [destination(good)]},
               {"id": "beta", "forwarders": [entry("b", "token-b", "b")], "remote_write": [destination(bad)]}]
    bad.control(mode="status", status=401)
    gateway = chain.gateway([], tenants=tenants)
    for name in ("a", "b"):
        forwarder = chain.forwarder(gateway.address, [mesh.targets], name=f"forwarder-{name}",
                                    gateway={"name": "node-1", "token": f"token-{name}"})
        wait_for_scrapes(forwarder, 4)
    def alpha_flows():
        ledgers = gateway.ledgers()
        return ledgers["alpha", "region"]["delivered"] > 0 and ledgers["beta", "region"]["pending"] > 0
    wait_until(alpha_flows, "alpha delivers while beta is held")
    ledgers = gateway.ledgers()
    assert all(balanced(ledger) for ledger in ledgers.values()), ledgers
    assert ledgers["beta", "region"]["delivered"] == 0
    assert set(good.report()["tenants"]) == {"alpha"}
    assert not bad.tenant("beta").get("samples")
    bad.control(mode="ok")
    wait_until(lambda: gateway.ledgers()["beta", "region"]["delivered"] > 0, "beta is released")


def test_two_destinations_have_their_own_cursors(chain):
    first, second = chain.region(name="first"), chain.region(name="second")
    mesh = chain.mesh(sidecars=2)
    destinations = [{**destination(first), "name": "first"}, {**destination(second), "name": "second"}]
    gateway = chain.gateway(destinations)
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    second.control(mode="down")
    wait_for_scrapes(forwarder, 4)
    wait_until(lambda: gateway.ledgers()["", "first"]["pending"] == 0 and gateway.ledgers()["", "second"]["pending"] > 0,
               "the first has all while the second waits")
    second.control(mode="ok")
    assert forwarder.process.stop() == 0, forwarder.process.tail()
    wait_until(lambda: all(l["pending"] == 0 for l in gateway.ledgers().values()), "both have all")
    assert first.samples() == second.samples()


def test_a_token_that_nobody_has_is_refused(chain):
    region, mesh = chain.region(), chain.mesh(sidecars=1)
    gateway = chain.gateway([destination(region)], forwarders=[entry("east", "right", "east")])
    forwarder = chain.forwarder(gateway.address, [mesh.targets], gateway={"token": "canary-wrong-token"})
    wait_until(lambda: "UNAUTHENTICATED" in forwarder.process.tail(200).upper() or "token" in forwarder.process.tail(200),
               "the forwarder says that its token is refused")
    wait_for_scrapes(forwarder, 2)
    assert not region.tenant()
    for text in (forwarder.process.log.read_text(), gateway.process.log.read_text(), forwarder.metrics(), gateway.metrics()):
        assert "canary-wrong-token" not in text and "right" not in text.split()
