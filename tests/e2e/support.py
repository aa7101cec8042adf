"""What several end-to-end tests ask of the chain."""

import time

from stack.process import wait_until


def destination(region, **settings):
    """A remote_write entry that delivers quickly and tells the region which frames a request holds."""
    queue = {"batch_send_deadline": "100ms", "min_backoff": "30ms", "max_backoff": "500ms", **settings.pop("queue_config", {})}
    return {"name": "region", "url": region.url, "send_frame_header": True, "queue_config": queue, **settings}


def scrapes(forwarder):
    """The number of scrapes of the target that was scraped least."""
    return min((t["scrapes"] for t in forwarder.targets()["targets"]), default=0)


def wait_for_scrapes(forwarder, count):
    wait_until(lambda: scrapes(forwarder) >= count, f"{count} scrapes of every target", process=forwarder.process)


def wait_for_delivery(gateway):
    """Until everything that is accepted by now is settled, and that is something. What goes on being accepted may still be pending."""
    ledger = wait_until(lambda: gateway.ledger()["accepted"] and gateway.ledger(), "something is accepted", process=gateway.process)

    def done():
        now = gateway.ledger()
        return now["accepted"] - now["pending"] >= ledger["accepted"]
    wait_until(done, "everything is delivered", process=gateway.process)


def complete_until(*forwarders):
    """The wall time (ms) up to which every scrape was done with when they were asked. A scrape that is under way when its forwarder
    stops is no scrape, so that what was served from here on may be missing."""
    until = time.time()
    for target in (target for forwarder in forwarders for target in forwarder.targets()["targets"]):
        if target["last_scrape"] is not None:
            until = min(until, target["last_scrape"] + target["scrape_interval_seconds"])
    return int(until * 1000) - 5  # a schedule is not kept to the millisecond


def finish(forwarder, gateway):
    """Stops scraping, drains both hops. The wall time (ms) from which a scrape may be missing."""
    stopped = complete_until(forwarder)
    assert forwarder.process.stop() == 0, forwarder.process.tail()
    wait_for_delivery(gateway)
    return stopped


def balanced(ledger):
    """The invariant of the ledger."""
    return ledger["accepted"] == (ledger["delivered"] + ledger["pending"] + sum(ledger["rejected"].values())
                                  + sum(ledger["expired"].values()) + ledger["dropped"] + ledger["lost"] + ledger["uncertain"])


def assert_no_trouble(region):
    """No request was malformed, no sample arrived twice from two frames, conflicting or out of order."""
    report = region.report()
    assert not report["malformed"], report
    for tenant, counts in report["tenants"].items():
        assert (counts["doubles"], counts["conflicts"], counts["out_of_order"]) == (0, 0, 0), (tenant, counts)


def assert_exact(mesh, region, stopped_ms, *flags):
    """Every scrape served before `stopped_ms` is in the region once, whole and equal, staleness markers too."""
    verdict, code = mesh.verify("--region", region.control_url, "--until", stopped_ms, *flags)
    assert code == 0, verdict
    assert verdict["scrapes"] > 0 and verdict["samples"] > 0, verdict
    assert_no_trouble(region)
    return verdict, region.tenant()
