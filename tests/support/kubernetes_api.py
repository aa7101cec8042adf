"""A Kubernetes API server for pods, in this process, that does what a test tells it.

It answers GET of /api/v1/pods and /api/v1/namespaces/NS/pods as the Kubernetes API does: bearer tokens (401), lists with limit and
continue, resourceVersion, field and label selectors, watches (ADDED, MODIFIED, DELETED, BOOKMARK; an object that begins or ceases to
match a selector is ADDED or DELETED), timeoutSeconds, 410 for what was compacted. Every call is thread-safe.
"""

import base64
import collections
import contextlib
import copy
import dataclasses
import gzip
import http.server
import json
import socket
import ssl
import threading
import time
import urllib.parse

from pod_objects import merged

GZIP_FROM_BYTES = 128 * 1024  # the API server compresses lists from this size on, for clients that accept it
LONGEST_WATCH_SECONDS = 1800


@dataclasses.dataclass
class Answer:
    """Instead of what the API would say."""
    status: int = 200
    body: bytes = b""
    headers: dict = dataclasses.field(default_factory=dict)
    cut_after: int = None  # bytes of the body after which the connection breaks
    hang: bool = False     # no answer before release()


@dataclasses.dataclass
class Request:
    """What was asked; `kind` is list, continue (its further pages), watch or other."""
    time: float
    kind: str
    path: str
    query: dict
    status: int = 0
    accept: str = ""


def api_status(code, reason, message, **details):
    """A Status object, as failures are told."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason,
            **({"details": details} if details else {}), "code": code}


EXPIRED = api_status(410, "Expired", "too old resource version: 1 (2)")


class Watch:
    """A client's running watch. `orders` are carried out by its thread."""

    def __init__(self, version):
        self.version, self.orders = version, collections.deque()


class Selection:
    """namespace and selectors of a request as a predicate over pods."""

    FIELDS = {"metadata.name": ("metadata", "name"), "metadata.namespace": ("metadata", "namespace"),
              "spec.nodeName": ("spec", "nodeName"), "status.phase": ("status", "phase"), "status.podIP": ("status", "podIP"),
              "spec.restartPolicy": ("spec", "restartPolicy")}

    def __init__(self, namespace, query):
        self.namespace = namespace
        self.fields = [self._field(term) for term in self._terms(query.get("fieldSelector", ""))]
        self.labels = [self._label(term) for term in self._terms(query.get("labelSelector", ""))]

    @staticmethod
    def _terms(text):
        return [term.strip() for term in text.split(",") if term.strip()]

    def _field(self, term):
        """(path, value, wanted equal). KeyError: a field that the API does not select by."""
        negative = "!=" in term
        name, _, value = term.partition("!=") if negative else term.replace("==", "=").partition("=")
        return self.FIELDS[name], value, not negative

    @staticmethod
    def _label(term):
        if "=" not in term:
            return term.lstrip("!"), None, not term.startswith("!")
        negative = "!=" in term
        name, _, value = term.partition("!=") if negative else term.replace("==", "=").partition("=")
        return name, value, not negative

    def __call__(self, pod):
        if pod is None or self.namespace not in (None, pod["metadata"]["namespace"]):
            return False
        labels = pod["metadata"].get("labels", {})
        return (all((pod.get(section, {}).get(name, "") == value) == equal for (section, name), value, equal in self.fields)
                and all((name in labels if value is None else labels.get(name) == value) == wanted
                        for name, value, wanted in self.labels))


class KubernetesApi:
    """`tokens`: those that are let in (none: everybody). `certificate`: (cert file, key file) for TLS."""

    def __init__(self, tokens=(), certificate=None, bookmark_seconds=60.0, port=0):
        self.tokens, self.bookmark_seconds = set(tokens), bookmark_seconds
        self.lock = threading.Condition()
        self.version, self.oldest = 100, 100  # of the newest change, and of the oldest that a watch may begin at
        self.pods = {}       # (namespace, name) -> pod
        self.history = []    # (version, before, after)
        self.pages = {}      # continue token -> (version, pods left)
        self.watches, self.requests, self.scripts = [], [], []
        self.page_limit = 0            # pages are never larger, whatever the client asks for
        self.forbidden = set()         # namespaces (None: all at once) that RBAC does not let the client see
        self.piece_bytes, self.piece_seconds = 0, 0.0  # how slowly bodies are written
        self.frozen = False            # watches stay open and tell nothing
        self.expired_by_status = False  # too old watches: HTTP 410 instead of an ERROR event
        self._tls = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*map(str, certificate))
        self._connections, self._server, self.port = set(), None, port
        self.up()

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    # --- what the cluster holds

    def put(self, *pods):
        """Creates or replaces."""
        for pod in pods:
            key = pod["metadata"]["namespace"], pod["metadata"]["name"]
            with self.lock:
                old = self.pods.get(key)
                new = copy.deepcopy(pod)
                new["metadata"].setdefault("uid", old["metadata"]["uid"] if old else f"uid-{key[0]}-{key[1]}-{self.version}")
                new["metadata"].setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
                self._change(key, new)

    def patch(self, name, change, namespace="default"):
        """A merge patch."""
        with self.lock:
            self._change((namespace, name), merged(self.pods[namespace, name], change))

    def delete(self, name, namespace="default"):
        """First marked as terminating, then gone."""
        with self.lock:
            self.patch(name, {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, namespace)
            self._change((namespace, name), None)

    def _change(self, key, after):
        self.version += 1
        before = self.pods.pop(key, None)
        if after is not None:
            after["metadata"]["resourceVersion"] = str(self.version)
            self.pods[key] = after
        self.history.append((self.version, before, after))
        self.lock.notify_all()

    def compact(self):
        """Watches and list continuations that begin before now are refused with 410."""
        with self.lock:
            self.version += 1
            self.oldest = self.version
            self.history.clear()
            self.pages.clear()

    def restore_backup(self, version, pods=None):
        """The store goes back to an older state, with its resource versions; connections break."""
        with self.lock:
            if pods is not None:
                self.pods = {(p["metadata"]["namespace"], p["metadata"]["name"]): p for p in pods}
            self.version = self.oldest = version
            self.history.clear()
            self.pages.clear()
        self.break_connections()

    # --- faults

    def script(self, answer, kind="any", times=1):
        """The next `times` requests of that kind (None: all until clear_scripts()) get `answer`."""
        with self.lock:
            self.scripts.append([kind, times, answer])

    def clear_scripts(self):
        """Also releases who hangs."""
        with self.lock:
            self.scripts.clear()
            self.lock.notify_all()

    def tell_watches(self, *lines, end=False):
        """Lines (bytes, or values to be JSON) to every running watch, which then ends if told so."""
        with self.lock:
            for watch in self.watches:
                watch.orders.extend(lines)
                if end:
                    watch.orders.append(None)
            self.lock.notify_all()

    def expire_watches(self):
        """410 in band."""
        self.compact()
        self.tell_watches({"type": "ERROR", "object": EXPIRED}, end=True)

    def end_watches(self):
        """As at the end of timeoutSeconds."""
        self.tell_watches(end=True)

    def break_connections(self):
        """Every open connection is reset."""
        with self.lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def freeze(self, frozen=True):
        with self.lock:
            self.frozen = frozen
            self.lock.notify_all()

    def down(self):
        """Nothing listens any more."""
        server, self._server = self._server, None
        if server:
            server.shutdown()
            server.server_close()
        self.break_connections()

    def up(self):
        """Listens again, at the same port."""
        self._server = _Server(("127.0.0.1", self.port), self)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self, _seconds=0):
        self.clear_scripts()
        self.down()

    # --- what was asked

    def asked(self, kind, since=0.0):
        """The requests of a kind from a monotonic time on."""
        with self.lock:
            return [r for r in self.requests if r.kind == kind and r.time >= since]

    # --- used by connections

    def scripted(self, kind):
        with self.lock:
            for script in self.scripts:
                if script[0] in ("any", kind):
                    if script[1] is not None:
                        script[1] -= 1
                        if script[1] == 0:
                            self.scripts.remove(script)
                    return script[2]
        return None

    def wait_for_release(self, answer):
        with self.lock:
            self.lock.wait_for(lambda: self._server is None or all(s[2] is not answer for s in self.scripts), LONGEST_WATCH_SECONDS)

    def page(self, selection, query):
        """(status, body) of a list request."""
        with self.lock:
            token, limit = query.get("continue"), int(query.get("limit") or 0)
            if token:
                if token not in self.pages:
                    return 410, api_status(410, "Expired", "The provided continue parameter is too old")
                version, left = self.pages.pop(token)
            else:
                wanted = query.get("resourceVersion", "")
                if wanted not in ("", "0") and int(wanted) > self.version:
                    return 504, self._too_large(wanted)
                limit = 0 if wanted == "0" and not self.page_limit else limit  # from the server's cache: whole
                version, left = self.version, [p for _, p in sorted(self.pods.items()) if selection(p)]
            limit = min(filter(None, (limit, self.page_limit)), default=0)
            metadata = {"resourceVersion": str(version)}
            items, left = (left[:limit], left[limit:]) if limit else (left, [])
            if left:
                metadata["continue"] = base64.b64encode(f"{version}/{items[-1]['metadata']['name']}/{len(left)}".encode()).decode()
                self.pages[metadata["continue"]] = (version, left)
            return 200, {"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": copy.deepcopy(items)}

    def _too_large(self, wanted):
        return api_status(504, "Timeout", f"Too large resource version: {wanted}, current: {self.version}",
                          causes=[{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}], retryAfterSeconds=1)

    def open_watch(self, wanted, selection):
        """(watch, None), or (None, (status, body))."""
        with self.lock:
            if wanted not in ("", "0") and int(wanted) > self.version:
                return None, (504, self._too_large(wanted))
            watch = Watch(self.version if wanted in ("", "0") else int(wanted))
            if wanted in ("", "0"):
                watch.orders.extend({"type": "ADDED", "object": _whole(p)} for _, p in sorted(self.pods.items()) if selection(p))
            elif watch.version < self.oldest:
                if self.expired_by_status:
                    return None, (410, EXPIRED)
                watch.orders.extend([{"type": "ERROR", "object": EXPIRED}, None])
            self.watches.append(watch)
            return watch, None

    def close_watch(self, watch):
        with self.lock:
            if watch in self.watches:
                self.watches.remove(watch)

    def next_lines(self, watch, selection, bookmarks, deadline):
        """What a watch has to tell next, waiting for it; a None ends the watch."""
        bookmark_at = time.monotonic() + self.bookmark_seconds
        with self.lock:
            while True:
                if watch.orders:
                    lines = list(watch.orders)
                    watch.orders.clear()
                    return lines
                lines = [] if self.frozen else self._events(watch, selection)
                if lines or self._server is None:
                    return lines or [None]
                now = time.monotonic()
                if now >= deadline:
                    return ([self._bookmark(watch)] if bookmarks and not self.frozen else []) + [None]
                if bookmarks and now >= bookmark_at and not self.frozen:
                    return [self._bookmark(watch)]
                self.lock.wait(min(deadline, bookmark_at if bookmarks and not self.frozen else deadline) - now)

    def _events(self, watch, selection):
        lines = []
        for version, before, after in self.history:
            if version <= watch.version:
                continue
            was, now = selection(before), selection(after)
            if was or now:
                kind = "MODIFIED" if was and now else "ADDED" if now else "DELETED"
                pod = _whole(after if now else before)
                pod["metadata"]["resourceVersion"] = str(version)
                lines.append({"type": kind, "object": pod})
        watch.version = max(watch.version, self.version)
        return lines

    def _bookmark(self, watch):
        watch.version = self.version
        return {"type": "BOOKMARK", "object": {"kind": "Pod", "apiVersion": "v1", "metadata": {
            "resourceVersion": str(self.version), "creationTimestamp": None}, "spec": {"containers": None}, "status": {}}}


def _whole(pod):
    return {"kind": "Pod", "apiVersion": "v1", **copy.deepcopy(pod)}


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address, api):
        self.api = api
        super().__init__(address, _Connection)

    def finish_request(self, request, client_address):
        if self.api._tls:
            try:
                request = self.api._tls.wrap_socket(request, server_side=True)
            except OSError:
                return  # a client that does not trust the certificate
        with self.api.lock:
            self.api._connections.add(request)
        try:
            super().finish_request(request, client_address)
        except OSError:
            pass  # the client, or the test, ended it
        finally:
            with self.api.lock:
                self.api._connections.discard(request)
            with contextlib.suppress(OSError):
                request.close()


class _Connection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        api, parsed = self.server.api, urllib.parse.urlsplit(self.path)
        query = {k: v[-1] for k, v in urllib.parse.parse_qs(parsed.query, keep_blank_values=True).items()}
        parts = parsed.path.strip("/").split("/")
        known = parts == ["api", "v1", "pods"] or (len(parts) == 5 and parts[:3] == ["api", "v1", "namespaces"] and parts[4] == "pods")
        kind = "other" if not known else "watch" if query.get("watch") in ("1", "true") else "continue" if query.get("continue") else "list"
        self.record = Request(time.monotonic(), kind, parsed.path, query, accept=self.headers.get("Accept", ""))
        with api.lock:
            api.requests.append(self.record)
        scripted = api.scripted(kind)
        if scripted:
            return self.answer_as_told(scripted)
        refusal = self.refusal(known, parts[3] if len(parts) == 5 else None)
        if refusal:
            return self.reply(*refusal)
        try:
            selection = Selection(parts[3] if len(parts) == 5 else None, query)
        except KeyError as unknown:
            return self.reply(400, api_status(400, "BadRequest", f"field label not supported: {unknown}"))
        if kind != "watch":
            return self.reply(*api.page(selection, query))
        return self.watch(selection, query)

    def refusal(self, known, namespace):
        api = self.server.api
        if api.tokens and self.headers.get("Authorization", "")[len("Bearer "):] not in api.tokens:
            return 401, api_status(401, "Unauthorized", "Unauthorized")
        if not known:
            return 404, api_status(404, "NotFound", "the server could not find the requested resource")
        if namespace in api.forbidden:
            return 403, api_status(403, "Forbidden", 'pods is forbidden: User "test" cannot list resource "pods"')
        return None

    def answer_as_told(self, answer):
        if answer.hang:
            self.server.api.wait_for_release(answer)
            self.close_connection = True
            return
        self.record.status = answer.status
        self.send_response(answer.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(answer.body)), **answer.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.write(answer.body[:answer.cut_after])
        if answer.cut_after is not None:
            self.break_off()

    def reply(self, status, value):
        self.record.status = status
        body = json.dumps(value, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if len(body) >= GZIP_FROM_BYTES and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.write(body)

    def watch(self, selection, query):
        api = self.server.api
        watch, refusal = api.open_watch(query.get("resourceVersion", ""), selection)
        if refusal:
            return self.reply(*refusal)
        self.record.status = 200
        deadline = time.monotonic() + float(query.get("timeoutSeconds") or LONGEST_WATCH_SECONDS)
        try:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.tell(api, watch, selection, query.get("allowWatchBookmarks") in ("1", "true"), deadline)
        finally:
            api.close_watch(watch)

    def tell(self, api, watch, selection, bookmarks, deadline):
        while True:
            for line in api.next_lines(watch, selection, bookmarks, deadline):
                if line is None:
                    return self.write(b"0\r\n\r\n")
                data = line if isinstance(line, bytes) else json.dumps(line, separators=(",", ":")).encode() + b"\n"
                self.write(b"%x\r\n%s\r\n" % (len(data), data))

    def write(self, data):
        api = self.server.api
        if not api.piece_bytes:
            self.wfile.write(data)
            return
        for begin in range(0, len(data), api.piece_bytes):
            self.wfile.write(data[begin:begin + api.piece_bytes])
            self.wfile.flush()
            time.sleep(api.piece_seconds)

    def break_off(self):
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
