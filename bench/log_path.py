"""What access logs cost in whole programs: CPU of forwarder and gateway from files to lines in the region, and their memory.

    AMPARI_BUILD=build/release /usr/bin/python3 bench/log_path.py [--files 100] [--mebibytes 512]
"""

import argparse
import os
import pathlib
import random
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/e2e")]

from logs import TENANT, loki  # noqa: E402

from stack.pod_logs import PodLog, targets_json  # noqa: E402
from stack.process import wait_until  # noqa: E402
from stack.programs import Forwarder, Gateway, Region, metric  # noqa: E402

LINES_AT_ONCE = 500
PATHS = ["/productpage", "/reviews/0", "/ratings/7", "/details/3?full=true", "/api/v1/cart/items", "/static/app.js"]
AGENTS = ["curl/8.5.0", "Go-http-client/2.0", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"]
MEBI = 1 << 20


def access_line(number, chance):
    """One request as Istio's default text has it, its fields as different as a mesh's are."""
    begin, took, code = time.gmtime(1714557600 + number // 100), chance.randrange(900), chance.choice([200, 200, 200, 304, 404, 503])
    here, there = (f"10.244.{chance.randrange(8)}.{chance.randrange(250)}" for _ in range(2))
    return (f'[{time.strftime("%Y-%m-%dT%H:%M:%S", begin)}.{number % 1000:03d}Z] "GET {chance.choice(PATHS)} HTTP/1.1" {code} - via_upstream - "-" 0 '
            f'{chance.randrange(20000)} {took} {max(0, took - 1)} "{here}" "{chance.choice(AGENTS)}" "{chance.getrandbits(128):032x}" '
            f'"shop.example.com" "{there}:9080" inbound|9080|| 127.0.0.6:{chance.randrange(30000, 60000)} {there}:9080 {here}:{chance.randrange(30000, 60000)} '
            "outbound_.9080_._.reviews.shop.svc.cluster.local default")


def cpu_seconds(program):
    fields = pathlib.Path(f"/proc/{program.process.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def write_files(root, files, size):
    """(the logs, their bytes, their lines); no two lines are alike."""
    chance = random.Random(1)
    logs = [PodLog(root, "shop", f"cart-{n}", f"00000000-0000-4000-8000-{n:012d}") for n in range(files)]
    lines = written = 0
    while written < size:
        for log in logs:
            log.write(*[access_line(lines + n, chance) for n in range(LINES_AT_ONCE)])
            lines += LINES_AT_ONCE
        written = sum(log.path.stat().st_size for log in logs)
    return logs, written, lines


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--files", type=int, default=100)
    flags.add_argument("--mebibytes", type=int, default=512)
    options = flags.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        (directory / "pods").mkdir()
        logs, size, lines = write_files(directory / "pods", options.files, options.mebibytes * MEBI)
        targets_json(directory / "targets.json", logs)
        region = Region(directory).start()
        gateway = Gateway(directory, [], loki_write=[loki(region)]).start()
        job = {"job_name": "logs", "start": "beginning", "static_configs": [{"labels": {"__path__": f"{directory}/pods/*/istio-proxy/*.log"}}]}
        forwarder = Forwarder(directory, gateway.address, [], name="forwarder", log_configs=[job])
        try:
            begin, before = time.monotonic(), cpu_seconds(gateway)
            forwarder.start()
            wait_until(lambda: gateway.ledger()["accepted"] >= lines, "every line is acknowledged", 300, forwarder.process)
            took, used = time.monotonic() - begin, cpu_seconds(forwarder)
            wait_until(lambda: region.logs(TENANT).get("lines", 0) >= lines, "every line is in the region", 600, gateway.process)
            relayed = cpu_seconds(gateway) - before
            print(f"{options.files} files, {size / MEBI:.0f} MiB, {lines} lines of {size / lines:.0f} bytes; acknowledged after {took:.1f} s\n"
                  f"forwarder: {size / 1e6 / used:.0f} MB/s a core from file to acknowledged frame, {forwarder.process.memory_bytes('VmHWM') / MEBI:.0f} MiB at the highest\n"
                  f"gateway: {size / 1e6 / relayed:.0f} MB/s a core from stream through fsync to the region's 204, "
                  f"{gateway.process.memory_bytes('VmHWM') / MEBI:.0f} MiB at the highest\n"
                  f"frames: {size / metric(forwarder.metrics(), 'ampari_forwarder_log_frame_bytes_total'):.1f} times smaller than the files")
        finally:
            for program in (forwarder, gateway, region):
                program.process.stop()


if __name__ == "__main__":
    main()
