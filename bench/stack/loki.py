"""A real Loki in one process, with the limits of its defaults unless told otherwise."""

import json
import pathlib
import urllib.parse

from .process import Process, fetch, free_port, wait_until
from .programs import CACHE, write_yaml

BINARY = CACHE / "bin/loki"
HOW = "script/counterparts loki (20 minutes and more)"

# What Loki adds by itself.
OWN_LABELS = {"service_name"}
OWN_METADATA = {"detected_level"}


def available():
    return BINARY.exists()


class Loki:
    """Tenants are named by X-Scope-OrgID; `limits` go over Loki's defaults, {tenant: limits}."""

    def __init__(self, directory, name="loki", **limits):
        directory = pathlib.Path(directory)
        port, data, config, overrides = free_port(), directory / f"{name}-data", directory / f"{name}.yaml", directory / f"{name}-tenants.yaml"
        write_yaml(overrides, {"overrides": limits})
        write_yaml(config, {
            "auth_enabled": True,
            "server": {"http_listen_address": "127.0.0.1", "http_listen_port": port, "grpc_listen_address": "127.0.0.1",
                       "grpc_listen_port": free_port(), "log_level": "warn"},
            "common": {"instance_addr": "127.0.0.1", "path_prefix": str(data), "replication_factor": 1,
                       "storage": {"filesystem": {"chunks_directory": str(data / "chunks"), "rules_directory": str(data / "rules")}},
                       "ring": {"kvstore": {"store": "inmemory"}}},
            "schema_config": {"configs": [{"from": "2020-01-01", "store": "tsdb", "object_store": "filesystem", "schema": "v13",
                                           "index": {"prefix": "index_", "period": "24h"}}]},
            "ingester": {"lifecycler": {"min_ready_duration": "0s", "final_sleep": "0s"}},
            "runtime_config": {"file": str(overrides)},
            "analytics": {"reporting_enabled": False},
        })
        self.process = Process(name, [BINARY, f"-config.file={config}"], directory)
        self.base = f"http://127.0.0.1:{port}"
        self.url = f"{self.base}/loki/api/v1/push"

    def start(self):
        self.process.start()
        wait_until(lambda: fetch(f"{self.base}/ready")[0] == 200, "Loki is ready", process=self.process)
        return self

    def push(self, tenant, body, kind="application/x-protobuf"):
        """One request: (status, words)."""
        status, words = fetch(self.url, data=body, headers={"X-Scope-OrgID": tenant, "Content-Type": kind})
        return status, words.decode()

    def ask(self, tenant, path, **query):
        status, body = fetch(f"{self.base}/loki/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=60, headers={
            "X-Scope-OrgID": tenant, "X-Loki-Response-Encoding-Flags": "categorize-labels"})
        assert status == 200, f"{query}: {status} {body!r}"
        return json.loads(body)["data"]["result"]

    def streams(self, tenant, selector, start_ns, end_ns):
        """What LogQL returns, oldest first: {labels as sorted pairs: [(ns, line, metadata)]}."""
        found = {}
        for stream in self.ask(tenant, "query_range", query=selector, start=start_ns, end=end_ns, limit=5000, direction="forward"):
            labels = tuple(sorted((k, v) for k, v in stream["stream"].items() if k not in OWN_LABELS))
            lines = found.setdefault(labels, [])
            for ns, line, *rest in stream["values"]:
                metadata = (rest[0] if rest else {}).get("structuredMetadata", {})
                lines.append((int(ns), line, {k: v for k, v in metadata.items() if k not in OWN_METADATA}))
        return found

    def count(self, tenant, selector, seconds):
        """Lines of the last `seconds`, as Loki itself counts them."""
        result = self.ask(tenant, "query", query=f"sum(count_over_time({selector}[{seconds}s]))")
        return int(result[0]["value"][1]) if result else 0
