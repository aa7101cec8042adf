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


def wait_for_scrapes(forwarder, count, seconds=40):
    wait_until(lambda: scrapes(forwarder) >= count, f"{count} scrapes of every target", seconds, forwarder.process)


def wait_for_delivery(gateway, seconds=60):
    """Until what was accepted is delivered and the forwarder has nothing more to hand over."""
    def done():
        ledger = gateway.ledger()
        return ledger["accepted"] > 0 and ledger["pending"] == 0
    wait_until(done, "everything is delivered", seconds, gateway.process)


def finish(forwarder, gateway, seconds=60):
    """Stops scraping, drains both hops. The wall time (ms) from which a scrape may be missing."""
    stopped = int(time.time() * 1000)
    assert forwarder.process.stop() == 0, forwarder.process.tail()
    wait_for_delivery(gateway, seconds)
    return stopped


def balanced(ledger):
    """The invariant of the ledger."""
    return ledger["accepted"] == (ledger["delivered"] + ledger["pending"] + sum(ledger["rejected"].values())
                                  + sum(ledger["expired"].values()) + ledger["dropped"] + ledger["lost"] + ledger["uncertain"])


def assert_exact(mesh, region, stopped_ms, *flags):
    """Every scrape served before `stopped_ms` is in the region once, whole and equal."""
    result, words, code = mesh.verify("--region", region.control_url, "--tenant", "", "--allow-missing-after-ms", str(stopped_ms), *flags)
    assert code == 0, f"{result}\n{words[-4000:]}"
    report = region.report()
    assert result["scrapes_served"] > 0 and result["samples_compared"] > 0
    assert (report["doubles"], report["conflicts"], report["out_of_order"], report["malformed"]) == (0, 0, 0, 0), report
    return result, report
