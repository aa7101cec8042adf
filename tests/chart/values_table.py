"""The values of values.yaml with their descriptions, and the table of them in the chart's README."""

import json
import re

import yaml

BEGIN, END = "<!-- values -->", "<!-- end of values -->"
# Mappings whose keys are the user's: one value.
WHOLE = {"commonLabels", "region.headers", "region.limits", "region.queueConfig", "region.extra", "gateway.externalLabels",
         "forwarder.externalLabels", "gateway.persistence.annotations", "gateway.persistence.retentionPolicy",
         "gateway.resources", "forwarder.resources", "gateway.updateStrategy", "forwarder.updateStrategy",
         "gateway.podSecurityContext", "gateway.securityContext", "forwarder.podSecurityContext",
         "forwarder.securityContext", "tls.certManager.issuerRef", "gateway.nodeSelector", "forwarder.nodeSelector"}


def leaves(text):
    """(path, default, description) in the order of the file. A description is the `# --` line above a key."""
    found = []
    node = yaml.compose(text)
    lines = text.splitlines()

    def visit(mapping, at):
        for key, value in mapping.value:
            path = f"{at}.{key.value}" if at else key.value
            above = lines[key.start_mark.line - 1].strip() if key.start_mark.line else ""
            description = above[5:] if above.startswith("# -- ") else ""
            if isinstance(value, yaml.MappingNode) and value.value and path not in WHOLE:
                visit(value, path)
            else:
                found.append((path, yaml.safe_load(yaml.serialize(value)), description))

    visit(node, "")
    return found


def readme_with_table(readme, values):
    rows = ["| value | default | |", "|---|---|---|"]
    for path, default, description in leaves(values):
        shown = json.dumps(default, ensure_ascii=False)
        if len(shown) > 90:
            shown = "see values.yaml"
        else:
            shown = f"`{shown}`"
        rows.append(f"| `{path}` | {shown.replace('|', '&#124;')} | {description.replace('|', '&#124;')} |")
    table = "\n".join([BEGIN, *rows, END])
    return re.sub(re.escape(BEGIN) + ".*" + re.escape(END), lambda _: table, readme, flags=re.S)
