"""A container's log files as kubelet and container runtimes write, rotate and remove them."""

import datetime
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import threading
import time

from .process import PATIENCE, Process

PART_BYTES = 16 * 1024  # a runtime cuts longer lines into parts
NANOS = 1_000_000_000


def containerd_time(time_ns):
    """RFC 3339 with as many fraction digits as it needs."""
    whole = datetime.datetime.fromtimestamp(time_ns // NANOS, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{time_ns % NANOS:09d}".rstrip("0")
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"


def crio_time(time_ns):
    """RFC 3339 with nine fraction digits and a numeric offset."""
    whole = datetime.datetime.fromtimestamp(time_ns // NANOS, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{time_ns % NANOS:09d}+00:00"


def parts(data):
    return [data[i:i + PART_BYTES] for i in range(0, len(data), PART_BYTES)] or [b""]


class PodLog:
    """One container of one pod. `written` holds every whole line in order: (time_ns, stream, text)."""

    def __init__(self, root, namespace, pod, uid, container="istio-proxy", runtime="containerd"):
        self.namespace, self.pod, self.uid, self.container, self.runtime = namespace, pod, uid, container, runtime
        self.pod_directory = pathlib.Path(root) / f"{namespace}_{pod}_{uid}"
        self.directory = self.pod_directory / container
        self.directory.mkdir(parents=True, exist_ok=True)
        self.target = str(self.directory / "*.log")
        self.written, self.restarts, self._stamps, self._last_ns = [], 0, 0, 0
        self.lock = threading.Lock()  # of whoever writes beside a runtime's thread
        self._open()

    def _open(self):
        self.path = self.directory / f"{self.restarts}.log"
        self.file = open(self.path, "ab", buffering=0)

    def _time(self, time_ns):
        """Now, but later than the line before, so that every line has a time of its own."""
        self._last_ns = max(time.time_ns(), self._last_ns + 1) if time_ns is None else time_ns
        return self._last_ns

    def _record(self, data, stream, time_ns, last):
        if self.runtime == "docker":
            text = data.decode(errors="replace") + ("\n" if last else "")
            return json.dumps({"log": text, "stream": stream, "time": containerd_time(time_ns)}).encode() + b"\n"
        stamp = (containerd_time if self.runtime == "containerd" else crio_time)(time_ns)
        return f"{stamp} {stream} {'F' if last else 'P'} ".encode() + data + b"\n"

    # --- what the container says

    def write(self, *texts, stream="stdout", time_ns=None):
        """Whole lines (text or bytes), in one write."""
        out = b""
        for text in texts:
            data, at = text.encode() if isinstance(text, str) else text, self._time(time_ns)
            pieces = parts(data)
            for number, piece in enumerate(pieces, 1):
                out += self._record(piece, stream, at, number == len(pieces))
            self.written.append((at, stream, text))
        self.file.write(out)

    def write_part(self, text, stream="stdout", time_ns=None):
        """The beginning of a line whose end is still to come, or never comes."""
        self.file.write(self._record(text.encode(), stream, self._time(time_ns), False))

    def write_raw(self, data):
        self.file.write(data)

    # --- what kubelet and others do to the files

    def rotate(self, stamp=None):
        """Renamed away, and a new file under the old name."""
        self._stamps += 1
        rotated = self.path.with_name(f"{self.path.name}.{stamp or f'20240501-{self._stamps:06d}'}")
        self.path.rename(rotated)
        self.file.close()
        self._open()
        return rotated

    def rotated(self):
        """What was rotated and not compressed, the oldest first."""
        return sorted(p for p in self.directory.glob(f"{self.path.name}.*") if p.suffix not in (".gz", ".tmp"))

    def gzip(self, files=None):
        """Compresses rotated files: a temporary one, renamed, and the original removed."""
        for path in self.rotated() if files is None else files:
            half_done = path.with_name(path.name + ".tmp")
            with open(path, "rb") as plain, gzip.open(half_done, "wb", compresslevel=1) as packed:
                shutil.copyfileobj(plain, packed)
            half_done.rename(path.with_name(path.name + ".gz"))
            path.unlink()

    def rotate_as_kubelet(self, max_files=5):
        """The oldest go, all that was rotated is compressed, then the file is renamed."""
        old = sorted(p for p in self.directory.glob(f"{self.path.name}.*") if p.suffix != ".tmp")
        for path in old[:max(0, len(old) - (max_files - 2))]:
            path.unlink()
        self.gzip()
        return self.rotate()

    def copytruncate(self):
        """As logrotate does it: a copy, and the same file emptied."""
        self._stamps += 1
        copy = self.path.with_name(f"{self.path.name}.20240501-{self._stamps:06d}")
        shutil.copyfile(self.path, copy)
        self.file.truncate(0)
        return copy

    def restart(self):
        """The container starts again: the next number, the old file stays."""
        self.file.close()
        self.restarts += 1
        self._open()

    def delete(self):
        """The pod goes, with its directory."""
        self.file.close()
        shutil.rmtree(self.pod_directory)

    def close(self):
        self.file.close()

    def lines(self, stream=None):
        """The texts written, in order."""
        return [text for _, of, text in self.written if stream in (None, of)]


class ContainerProcess(Process):
    """A program whose standard output and error a container runtime writes to a PodLog, line by line. Standard error is told to
    the program's own log as well."""

    def __init__(self, name, argv, directory, log, **options):
        super().__init__(name, argv, directory, **options)
        self.pod_log, self.readers = log, []

    def start(self):
        self.child = subprocess.Popen(self.argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                      cwd=self.directory, env=self.environment)
        self.readers = [threading.Thread(target=self._read, args=(pipe, stream), daemon=True)
                        for pipe, stream in ((self.child.stdout, "stdout"), (self.child.stderr, "stderr"))]
        for reader in self.readers:
            reader.start()
        return self

    def _read(self, pipe, stream):
        rest = b""
        while piece := os.read(pipe.fileno(), 64 * 1024):
            *lines, rest = (rest + piece).split(b"\n")
            self._write(lines, stream)
        self._write([rest] if rest else [], stream)
        pipe.close()

    def _write(self, lines, stream):
        if not lines:
            return
        with self.pod_log.lock:
            self.pod_log.write(*(line.decode(errors="replace") for line in lines), stream=stream)
        if stream == "stderr":
            with open(self.log, "ab") as out:
                out.write(b"\n".join(lines) + b"\n")

    def _end(self, number, seconds=PATIENCE):
        super()._end(number, seconds)
        for reader in self.readers:
            reader.join()


def access_line(number, code=200, flags="-", method="GET", path="/productpage", start="2024-05-01T10:00:00.000Z",
                agent="curl/8.4.0", authority="productpage:9080"):
    """A line of Istio's default text format; the number is the end of x-request-id."""
    return (f'[{start}] "{method} {path} HTTP/1.1" {code} {flags} via_upstream - "-" 0 4183 {number % 97} {number % 89} "-" "{agent}" '
            f'"{request_id(number)}" "{authority}" "10.244.0.31:9080" outbound|9080||productpage.default.svc.cluster.local '
            f'10.244.0.32:41562 10.96.14.7:9080 10.244.0.32:58620 - default')


def request_id(number):
    return f"5a3d1c70-9b7e-4d2f-8a61-{number:012x}"


def number_of(line):
    """The number of an access line; None for others."""
    begin = line.find("5a3d1c70-9b7e-4d2f-8a61-")
    return int(line[begin + 24:begin + 36], 16) if begin >= 0 else None


def targets_json(path, logs, **labels):
    """File discovery for these containers, with the labels that Kubernetes discovery would give."""
    groups = []
    for log in logs:
        meta = {"namespace": log.namespace, "pod_name": log.pod, "pod_uid": log.uid, "pod_container_name": log.container}
        groups.append({"targets": ["localhost"], "labels": {**{f"__meta_kubernetes_{k}": v for k, v in meta.items()}, **labels}})
    half_done = pathlib.Path(f"{path}.tmp")
    half_done.write_text(json.dumps(groups, indent=1))
    half_done.rename(path)
