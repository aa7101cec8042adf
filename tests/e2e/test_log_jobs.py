"""Jobs of log_configs come and go by reload, and the page of targets shows their files as text and nothing else."""

from logs import LogChain, all_lines, files

from stack.process import fetch, wait_until


def page(forwarder, form):
    status, body = fetch(f"{forwarder.base}/targets?format={form}")
    assert status == 200, body
    return body.decode()


def metric_names(forwarder):
    return {line.split(" ")[0] for line in forwarder.metrics().splitlines() if line.startswith("ampari_forwarder_log_")}


def test_jobs_come_and_go_by_reload(chain):
    logs = LogChain(chain, pods=2, forwarder={"log_configs": []})
    forwarder, job = logs.forwarder, logs.job
    logs.pods.write(5)
    shown = forwarder.targets()
    assert shown["logs"] == {"files": [], "gateway": None} and shown["log_targets"] == [], "nothing of logs runs without a job"
    assert metric_names(forwarder) == set()
    config = {**forwarder.config, "log_configs": [job]}
    forwarder.rewrite(config)
    logs.wait()
    assert forwarder.targets()["logs"]["gateway"]["connected"] is True
    assert {"ampari_forwarder_log_lines_total", "ampari_forwarder_log_ring_bytes"} <= metric_names(forwarder)
    forwarder.rewrite({**config, "log_configs": []})
    wait_until(lambda: forwarder.targets()["log_targets"] == [], "the job is gone", process=forwarder.process)
    before = logs.pods.written()
    wait_until(lambda: not [f for f in files(forwarder).values() if not f["gone"]], "no file is read any more", process=forwarder.process)
    logs.pods.write(5)
    forwarder.rewrite(config)
    logs.finish()
    assert len(all_lines(logs.region)) == before + 10, "what was written meanwhile is read when the job is back"


def test_a_forwarder_of_logs_alone_is_ready_and_asks_for_no_metrics(chain):
    logs = LogChain(chain, pods=1)
    logs.pods.write(2)
    logs.wait()
    assert logs.forwarder.config["scrape_configs"] == []
    wait_until(lambda: fetch(f"{logs.forwarder.base}/-/ready?wait=gateway")[0] == 200, "the welcome of the logs counts", process=logs.forwarder.process)
    metrics = logs.forwarder.metrics()
    assert "\nampari_forwarder_gateway_connected" not in metrics and "\nampari_forwarder_log_gateway_connected 1\n" in metrics
    assert logs.forwarder.targets()["gateway"] is None
    assert "no destination for metrics" not in logs.forwarder.process.log.read_text()
    logs.finish()


def test_a_reload_changes_labels_and_doubles_nothing(chain):
    logs = LogChain(chain, pods=2)
    logs.pods.write(10)
    logs.wait()
    job = {**logs.job, "relabel_configs": [*logs.job["relabel_configs"], {"target_label": "team", "replacement": "shop"}]}
    logs.forwarder.rewrite({**logs.forwarder.config, "log_configs": [job]})

    def teams():
        """{pod: the team of each of its lines, in their order}."""
        found = {}
        for labels, time_ns, *_ in all_lines(logs.region):
            found.setdefault(labels["pod"], []).append((time_ns, labels.get("team")))
        return {name: [team for _, team in sorted(lines, key=lambda line: line[0])] for name, lines in found.items()}

    def in_force():
        logs.pods.write(1)
        logs.wait()
        return all(of[-1] == "shop" for of in teams().values())
    wait_until(in_force, "lines get the label", process=logs.forwarder.process)
    logs.pods.write(10)
    logs.finish()
    for of in teams().values():
        before = of.count(None)
        assert before >= 10 and of == [None] * before + ["shop"] * (len(of) - before) and len(of) - before > 10, of


def test_the_page_of_targets(chain):
    hostile = "<img src=x onerror=alert(1)>\x1b[2J"
    dropped = {"job_name": "dropped", "static_configs": [{"labels": {"__path__": "/etc/../etc/shadow", "told": hostile}}, {"labels": {"told": "x"}}]}
    logs = LogChain(chain, pods=1)
    logs.forwarder.rewrite({**logs.forwarder.config, "log_configs": [logs.job, dropped]})
    logs.pods.write(3)
    logs.wait()
    wanted = {'__path__ "/etc/../etc/shadow" has the element ..', "no __path__; a rule of relabel_configs must set it"}
    wait_until(lambda: {d["reason"] for d in logs.forwarder.targets()["log_dropped"]} == wanted, "why two are not followed is told",
               process=logs.forwarder.process)
    path = str(logs.pods.logs[0].path)
    for form in ("text", "html"):
        body = page(logs.forwarder, form)
        assert path in body and "has the element .." in body
        assert "\x1b" not in body and "\\x1b[2J" in body
        assert form == "text" or "<img" not in body and "&lt;img" in body
    logs.finish()
