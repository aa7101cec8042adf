"""What a job's settings make of its lines: labels and structured metadata of access lines, and which lines are shipped at all."""

import json
from collections import Counter

from logs import LogChain, all_lines

from stack.pod_logs import access_line, request_id
from stack.process import wait_until
from stack.programs import metric

AGENT = "2024-10-02T18:28:15.365329Z\tinfo\tsds\tSDS server"
CODES = (200, 200, 200, 404, 503)
RULES = [{"action": "keep", "field": "response_code", "regex": "5.."},
         {"action": "drop", "field": "log_type", "regex": "agent"},
         {"action": "sample", "field": "response_code", "regex": "2..", "rate": 0.2}]


def json_line(number, code):
    return json.dumps({"start_time": "2024-05-01T10:00:00.000Z", "method": "GET", "path": "/a\"b", "protocol": "HTTP/2", "response_code": code,
                       "request_id": request_id(number), "upstream_host": None})


def test_fields_become_labels_and_structured_metadata(chain):
    logs = LogChain(chain, pods=2, istio_access_log={"formats": ["default", "json", '{"c": "%RESPONSE_CODE%", "m": "%REQ(:METHOD)%"}'],
                                                     "labels": ["request_method", "protocol", "response_code"],
                                                     "structured_metadata": {"request_id": "trace", "path": "path"}})
    for log in logs.pods.logs:
        log.write(access_line(1, code=503, method="POST"), json_line(2, 404), '{"m":"PUT","c":204}', AGENT, '{"user":"x","response_code":200}')
    logs.finish()
    names = ("log_type", "request_method", "protocol", "response_code")
    seen = Counter((*(labels.get(name) for name in names), tuple(sorted(metadata.items()))) for labels, _, _, metadata in all_lines(logs.region))
    assert seen == {("access", "POST", "HTTP/1.1", "503", (("path", "/productpage"), ("trace", request_id(1)))): 2,
                    ("access", "GET", "HTTP/2", "404", (("path", '/a"b'), ("trace", request_id(2)))): 2,
                    ("access", "PUT", None, "204", ()): 2,
                    ("agent", None, None, None, ()): 2,
                    ("other", None, None, None, ()): 2}


def test_filtered_lines_are_read_counted_and_never_seen_again(chain):
    logs = LogChain(chain, pods=3, rules=RULES)

    def write():
        for log in logs.pods.logs:
            log.write(*(access_line(n, code=CODES[n % len(CODES)]) for n in range(len(log.written), len(log.written) + 500)), AGENT)

    write()
    first = counts(logs)
    assert logs.forwarder.process.stop() == 0
    write()
    logs.forwarder.start()
    second = counts(logs)
    assert (first["filtered"], second["filtered"]) == (3, 3)
    for count in (first, second):
        assert count["shipped"] + count["filtered"] + count["sampled"] == 3 * 501
        assert 0.7 < count["sampled"] / (3 * 300) < 0.9  # of the 2xx
    logs.wait(lines=first["shipped"] + second["shipped"])
    arrived = Counter(line.split()[4] if line.startswith("[") else "agent" for _, _, line, _ in all_lines(logs.region))
    assert (arrived["503"], arrived["404"], arrived["agent"]) == (600, 600, 0)
    assert sum(arrived.values()) == first["shipped"] + second["shipped"]


def counts(logs):
    """Of this life of the forwarder, once it has read 501 lines of each file."""
    def told():
        text = logs.forwarder.metrics()
        return {name: int(metric(text, f"ampari_forwarder_log_lines{part}_total"))
                for name, part in (("shipped", ""), ("filtered", "_filtered"), ("sampled", "_sampled_out"))}
    wait_until(lambda: sum(told().values()) >= 3 * 501, "every line is read", process=logs.forwarder.process)
    return told()
