"""Many clusters into one hub: hosts are network namespaces, and a link between them is cut and mended."""

from support import assert_no_trouble, balanced, complete_until, destination, scrapes, wait_for_delivery, wait_for_scrapes

from stack.process import wait_until
from stack.programs import metric, write_yaml

CLUSTERS = ("east", "north", "west")


def entry(cluster):
    return {"name": cluster, "token": f"token-of-{cluster}", "labels": {"cluster": cluster}}


class Cluster:
    """Its mesh and its one forwarder on a host of its own. All names, addresses and ports are those of every other cluster."""

    def __init__(self, chain, network, name, gateway):
        self.name, self.host = name, network.host(name)
        self.mesh = chain.mesh(name=f"mesh-{name}", sidecars=2, real_ports=True, host=self.host)
        self.forwarder = chain.forwarder(gateway.address, [self.mesh.targets], name=f"forwarder-{name}", host=self.host,
                                         gateway={"name": "node-1", "token": f"token-of-{name}"},
                                         **{"global": {"scrape_interval": "1s", "scrape_timeout": "1s",
                                                       "external_labels": {"cluster": "east", "mesh_id": "one"}}})

    def connected(self):
        return metric(self.forwarder.metrics(), "ampari_forwarder_gateway_connected") == 1

    def stop(self):
        """The wall time (ms) from which a scrape may be missing."""
        stopped = complete_until(self.forwarder)
        assert self.forwarder.process.stop() == 0, self.forwarder.process.tail()
        return stopped

    def assert_exact(self, region, stopped):
        verdict, code = self.mesh.verify("--region", region.control_url, "--until", stopped, "--extra-label", f"cluster={self.name}",
                                         "--extra-label", "mesh_id=one", host=region.process.host)
        assert code == 0 and verdict["scrapes"] > 0, (self.name, verdict)


def names_by_cluster(region):
    """{cluster: its series, without the label that tells the clusters apart}."""
    found = {}
    for series in region.samples():
        cluster = series.split('cluster="', 1)[1].split('"', 1)[0]
        found.setdefault(cluster, set()).add(series.replace(f'cluster="{cluster}"', ""))
    return found


def test_three_clusters_with_equal_names_into_one_hub(network, chain):
    region = chain.region(host=network.host("region"))
    gateway = chain.gateway([destination(region)], host=network.host("hub"), forwarders=[entry(name) for name in CLUSTERS])
    clusters = [Cluster(chain, network, name, gateway) for name in CLUSTERS]
    for cluster in clusters:
        wait_for_scrapes(cluster.forwarder, 2)
    cut, others = clusters[1], [clusters[0], clusters[2]]
    cut.host.unplug()
    wait_until(lambda: not cut.connected(), "the forwarder notices that nobody answers", process=cut.forwarder.process)
    before = [(cluster, scrapes(cluster.forwarder)) for cluster in clusters]
    for cluster, count in before:
        wait_for_scrapes(cluster.forwarder, count + 4)
    delivered = gateway.ledger()["delivered"]
    wait_until(lambda: gateway.ledger()["delivered"] > delivered, "the others are delivered meanwhile", process=gateway.process)
    assert all(cluster.connected() for cluster in others) and not cut.connected()
    cut.host.plug()
    wait_until(cut.connected, "the cluster is back", process=cut.forwarder.process)
    stopped = {cluster.name: cluster.stop() for cluster in clusters}
    wait_for_delivery(gateway)
    for cluster in clusters:
        cluster.assert_exact(region, stopped[cluster.name])
    assert_no_trouble(region)
    ledger = gateway.ledger()
    assert balanced(ledger) and ledger["delivered"] == ledger["accepted"] == region.tenant()["samples"], ledger
    names = names_by_cluster(region)
    assert set(names) == set(CLUSTERS)
    assert len(names["east"]) > 100 and names["east"] == names["north"] == names["west"]


# --- several gateways of one list: their addresses and the nodes' names are fixed, and so is who is bound to whom

NODES = tuple(f"node-{number}" for number in range(4))


class Fleet:
    """Gateways on hosts of their own, and nodes with a mesh and a forwarder each on one more host."""

    def __init__(self, chain, network, gateways):
        self.chain = chain
        self.region = chain.region(host=network.host("region"))
        self.gateways = [self._gateway(network.host(f"gateway-{number}"), number) for number in range(gateways)]
        self.host = network.host("nodes")
        self.nodes = {}  # name: (mesh, forwarder)

    def _gateway(self, host, number):
        return self.chain.gateway([destination(self.region)], name=f"gateway-{number}", host=host, start=False,
                                  forwarders=[{"name": "nodes", "token": "token-of-nodes"}])

    def start(self, addresses):
        for number, name in enumerate(NODES, 1):
            mesh = self.chain.mesh(name=f"mesh-{name}", sidecars=1, seed=number, host=self.host)
            self.nodes[name] = mesh, self.chain.forwarder(addresses, [mesh.targets], name=name, host=self.host,
                                                          gateway={"token": "token-of-nodes"})
        self.scrape(2)

    def forwarders(self):
        return [forwarder for _, forwarder in self.nodes.values()]

    def scrape(self, more):
        """Until every forwarder has scraped so often again."""
        for forwarder, before in [(f, scrapes(f)) for f in self.forwarders()]:
            wait_for_scrapes(forwarder, before + more)

    def told(self):
        """{node: what it says of its gateway}."""
        return {name: forwarder.targets()["gateway"] for name, (_, forwarder) in self.nodes.items()}

    def moving(self):
        """The nodes that are on their way to another gateway."""
        return [name for name, gateway in self.told().items() if gateway["moving_to"]]

    def homes(self):
        """{node: the address that it is bound to}; None while one moves or has no connection."""
        told = self.told()
        moving = any(gateway["moving_to"] or not gateway["connected"] for gateway in told.values())
        return None if moving else {name: gateway["address"] for name, gateway in told.items()}

    def tell(self, addresses):
        """A new list for all, taken over by reload."""
        for forwarder in self.forwarders():
            forwarder.config["gateway"]["addresses"] = addresses
            forwarder.rewrite(forwarder.config)

    def settled(self):
        return wait_until(self.homes, "everybody is at home")

    def finish(self, gateways):
        """Stops everybody, drains the gateways, compares every scrape of every mesh with the region."""
        stopped = complete_until(*self.forwarders())
        for forwarder in self.forwarders():
            assert forwarder.process.stop() == 0, forwarder.process.tail()
        for gateway in gateways:
            wait_until(lambda g=gateway: says_empty(g), f"{gateway.process.name} is empty", process=gateway.process)
        for name, (mesh, _) in self.nodes.items():
            verdict, code = mesh.verify("--region", self.region.control_url, "--until", stopped, host=self.region.process.host)
            assert code == 0 and verdict["scrapes"] > 0, (name, verdict)
        assert_no_trouble(self.region)


def says_empty(gateway):
    """As an operator asks: the first line of `queue status`."""
    code, said, errors = gateway.command("queue", "status")
    assert code == 0, errors
    return said.startswith("queue    empty, 0 forwarders are connected\n")


def delivered(gateway):
    """What it delivered, which is all that it accepted."""
    ledger = gateway.ledger()
    assert balanced(ledger) and ledger["delivered"] == ledger["accepted"], ledger
    return ledger["delivered"]


def test_two_gateways_under_rolling_restart(network, chain):
    fleet = Fleet(chain, network, 2)
    for gateway in fleet.gateways:
        gateway.start()
    fleet.start([gateway.address for gateway in fleet.gateways])
    homes = fleet.settled()
    assert set(homes.values()) == {gateway.address for gateway in fleet.gateways}, homes
    for end in ("stop", "kill", "stop", "kill"):
        for gateway in fleet.gateways:
            getattr(gateway.process, end)()
            fleet.scrape(2)  # while it is away
            gateway.start()
            fleet.scrape(1)
    assert fleet.settled() == homes, "nobody moves by itself"
    fleet.finish(fleet.gateways)
    assert sum(delivered(gateway) for gateway in fleet.gateways) == fleet.region.tenant()["samples"]


def test_a_gateway_added_and_one_taken_away(network, chain):
    """The steps of docs/gateways.md."""
    fleet = Fleet(chain, network, 3)
    first, second, third = fleet.gateways
    first.start()
    second.start()
    fleet.start([first.address, second.address])
    homes = fleet.settled()
    assert set(homes.values()) == {first.address, second.address}, homes

    third.start()  # a gateway is added: it runs, then the list names it
    fleet.region.control(mode="down")
    fleet.scrape(1)
    fleet.tell([first.address, second.address, third.address])
    fleet.scrape(2)
    assert fleet.moving() and third.ledger()["accepted"] == 0, "what was sent to the old one is to be delivered first"
    fleet.region.control(mode="ok")
    grown = fleet.settled()
    assert all(address in (homes[name], third.address) for name, address in grown.items()), (homes, grown)
    assert third.address in grown.values() and first.address in grown.values(), grown
    fleet.scrape(2)

    fleet.tell([second.address, third.address])  # one is taken away: it leaves the list first
    shrunk = fleet.settled()
    assert all(shrunk[name] == address for name, address in grown.items() if address != first.address), (grown, shrunk)
    wait_until(lambda: says_empty(first), "the one that is left is empty", process=first.process)
    samples = delivered(first)
    assert first.process.stop() == 0
    fleet.scrape(2)

    moves = [metric(f.metrics(), "ampari_forwarder_gateway_moves_total", after="patience") for f in fleet.forwarders()]
    assert not any(moves), "everybody waited until the old gateway had delivered"
    fleet.finish([second, third])
    assert samples + delivered(second) + delivered(third) == fleet.region.tenant()["samples"]


def test_a_list_changed_by_restart(network, chain):
    """What a DaemonSet does whose pods are replaced: the old process drains, the new one begins at its gateway."""
    fleet = Fleet(chain, network, 2)
    first, second = fleet.gateways
    first.start()
    second.start()
    fleet.start([first.address])
    for forwarder in fleet.forwarders():
        assert forwarder.process.stop() == 0, forwarder.process.tail()
        forwarder.config["gateway"]["addresses"] = [second.address]
        write_yaml(forwarder.config_file, forwarder.config)
        forwarder.start()
    fleet.scrape(2)
    assert set(fleet.settled().values()) == {second.address}
    wait_until(lambda: says_empty(first), "the one that is left is empty", process=first.process)
    fleet.finish([first, second])
    assert delivered(first) + delivered(second) == fleet.region.tenant()["samples"]
