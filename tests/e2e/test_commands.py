"""The commands of the gateway and its exit codes, against the running program and against its stopped directory."""

import json

import pytest
from support import assert_no_trouble, balanced, destination, finish, wait_for_scrapes

from stack.process import wait_until
from stack.programs import BUILD, run, write_yaml

ERASER = BUILD / "tests/support/ampari-test-frame-eraser"


def backlog(chain, frames=4):
    """A gateway with a backlog of so many frames at the least, and no forwarder any more."""
    region, mesh = chain.region(), chain.mesh()
    region.control(mode="down")
    gateway = chain.gateway([destination(region)])
    forwarder = chain.forwarder(gateway.address, [mesh.targets])
    wait_until(lambda: gateway.ledger()["pending_frames"] >= frames, f"{frames} frames", process=gateway.process)
    assert forwarder.process.stop() == 0, forwarder.process.tail()
    return region, gateway, forwarder


def queue(gateway, verb):
    code, output, errors = gateway.command("queue", verb, "--json")
    return code, json.loads(output) if output.strip() else None, errors


def test_queue_commands(chain):
    region, gateway, forwarder = backlog(chain)
    ledger = gateway.ledger()
    assert ledger["pending"] > 0
    for state in ("running", "stopped"):
        if state == "stopped":
            assert gateway.process.stop() == 0
        code, page, errors = queue(gateway, "status")
        found = page["destinations"][0]["ledger"]
        assert code == 0 and balanced(found) and found["pending"] == ledger["pending"], (state, page, errors)
        code, words, _ = gateway.command("queue", "status")
        assert code == 0 and str(ledger["pending"]) in words.replace(",", ""), (state, words)
        code, page, errors = queue(gateway, "list")
        assert (code, page["dead_letters"]) == (0, []), (state, page)
        code, page, errors = queue(gateway, "verify")
        assert (code, page) == (0, {"ok": True, "problems": []}), (state, page, errors)
        assert ("no gateway answers" in errors) == (state == "stopped"), errors
    gateway.start()
    region.control(mode="ok")
    forwarder.start()  # delivery waits for its producers for a while
    wait_for_scrapes(forwarder, 2)
    finish(forwarder, gateway)
    assert queue(gateway, "status")[1]["destinations"][0]["ledger"]["pending"] == 0
    assert gateway.ledger()["delivered"] == gateway.ledger()["accepted"] > ledger["accepted"]


def test_a_second_gateway_on_the_same_directory(chain):
    _, gateway, _ = backlog(chain, frames=1)
    other = gateway.config_file.with_name("second.yaml")
    write_yaml(other, {**gateway.config, "grpc": {"listen_address": "127.0.0.1:0", "insecure": True},
                       "http": {"listen_address": "127.0.0.1:0"}})
    code, output, errors = run([gateway.process.argv[0], f"--config.file={other}"])
    words = output + errors
    assert code == 5 and str(gateway.storage) in words and "use" in words, (code, words)
    assert gateway.ledger()["pending"] > 0


@pytest.mark.parametrize("program, text, line, words", [
    pytest.param("gateway", "storage: {directory: /tmp/x}\nremote_write: [{name: a, url: 'http://x/'}]\nstorrage: {}\n", 3,
                 ("storrage", "storage"), id="gateway: unknown key"),
    pytest.param("gateway", "storage:\n  directory: /tmp/x\n  max_bytes: 3 apples\ngrpc: {insecure: true}\n", 3, ("max_bytes",),
                 id="gateway: no size"),
    pytest.param("forwarder", "gateway: {address: 'x:1', insecure: true}\nscrape_configs:\n  - job_name: a\n    scrape_intervall: 1s\n",
                 4, ("scrape_intervall", "scrape_interval"), id="forwarder: unknown key"),
    pytest.param("forwarder", "gateway: {address: 'x:1', insecure: true}\nscrape_configs:\n  - {job_name: a, consul_sd_configs: [{server: 'x:1'}]}\n",
                 3, ("consul_sd_configs",), id="forwarder: unsupported discovery"),
])
def test_a_wrong_configuration(chain, program, text, line, words):
    file = chain.directory / "wrong.yaml"
    file.write_text(text)
    for command in ([], ["check-config"]):
        code, output, errors = run([BUILD / program / f"ampari-{program}", f"--config.file={file}", *command])
        said = output + errors
        assert code == 3 and f"wrong.yaml:{line}" in said and all(w in said for w in words), (code, said)


def test_plaintext_is_said_once(chain):
    gateway = chain.gateway([destination(chain.region())])
    assert gateway.process.log.read_text().count("travel in plaintext") == 1


def test_usage(chain):
    for program in ("gateway", "forwarder"):
        binary = BUILD / program / f"ampari-{program}"
        assert run([binary, "--no-such-flag"])[0] == 2
        assert run([binary, f"--config.file={chain.directory / 'missing.yaml'}"])[0] == 3
        code, output, _ = run([binary, "--version"])
        assert code == 0 and output.startswith(f"ampari-{program} ")


@pytest.mark.parametrize("place", [0, 2], ids=["the first frame", "a later frame"])
def test_a_frame_that_vanished_from_the_disk(chain, place):
    region, gateway, forwarder = backlog(chain)
    accepted = gateway.ledger()["accepted"]
    gateway.process.stop()
    code, items, errors = run([ERASER, gateway.storage / "db", place])
    assert code == 0 and int(items) > 0, errors
    gateway.start()
    ledger = gateway.ledger()
    assert balanced(ledger) and (ledger["accepted"], ledger["lost"]) == (accepted, int(items)), (ledger, items)
    assert str(items.strip()) in gateway.process.log.read_text(), "the loss is named at start"
    assert queue(gateway, "verify")[0] == 1
    region.control(mode="ok")
    forwarder.start()
    wait_for_scrapes(forwarder, 2)
    finish(forwarder, gateway)
    ledger = gateway.ledger()
    assert balanced(ledger) and ledger["delivered"] == ledger["accepted"] - int(items) == region.tenant()["samples"], ledger
    assert ledger["accepted"] > accepted
    assert_no_trouble(region)
    gateway.process.kill()
    gateway.start()
    assert gateway.ledger()["lost"] == int(items), "counted once"
