"""What a pod finds at its mount paths, put under a directory."""

import base64

PEM = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"


def contents(volume, objects):
    """{path: text} of what a pod finds in a volume; Secrets that are not in the release hold something."""
    found = {(o["kind"], o["metadata"]["name"]): o for o in objects}
    sources = volume["projected"]["sources"] if "projected" in volume else [volume]
    files = {}
    for source in sources:
        kind, part = ("Secret", source["secret"]) if "secret" in source else ("ConfigMap", source["configMap"])
        name = part.get("secretName", part.get("name"))
        own = found.get((kind, name), {}).get("data", {})
        if kind == "Secret":
            own = {k: base64.b64decode(v).decode() for k, v in own.items()}
        items = part.get("items") or [{"key": k, "path": k} for k in own or ("token", "ca.crt")]
        for item in items:
            if own:
                assert item["key"] in own, f"{kind} {name} has no {item['key']}"
            files[item["path"]] = own.get(item["key"]) or (f"{name}-{item['key']}" if "crt" not in item["key"] else PEM)
    return files


def mount(pod, objects, root):
    """Puts what the pod's container would find under `root`, and answers the configuration's text with paths under it."""
    volumes = {v["name"]: v for v in pod["spec"]["volumes"]}
    config = ""
    for place in pod["spec"]["containers"][0]["volumeMounts"]:
        volume = volumes.get(place["name"])
        if volume is None or "hostPath" in volume or place["name"] == "store":
            continue
        for path, text in contents(volume, objects).items():
            file = root / place["mountPath"].lstrip("/") / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            if place["name"] == "config":
                config = text
    return config.replace("/etc/ampari/", f"{root}/etc/ampari/")
