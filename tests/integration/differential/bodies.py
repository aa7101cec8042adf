"""Cases for the differential test: jobs (as Prometheus configuration) with the bodies that their target serves in turn.

`@-5000@` in a body becomes the time of serving plus that many milliseconds, `@s-5@` the same in seconds.
"""

import random

NAMES = ["m", "http_requests_total", "a:b", "go_info", "istio_requests_total", "x_sum", "_u"]
LABELS = ["z", "code", "instance", "job", "exported_job", "exported_instance", "le2", "_a", "n"]
VALUES = ["", "1", "200", "a b", 'q\\"q', "back\\\\slash", "new\\nline", "odd\\q", "über", "} 1", "# {", ",", "x" * 40]
NUMBERS = ["0", "1", "-1", "+1", "1.5", "1e3", ".5", "5.", "Inf", "-inf", "+Infinity", "NaN", "nan", "16440392441958861461",
           "1e-400", "0.1", "123456789012345678", "-0", "4.9e-324"]
BAD_NUMBERS = ["1e400", "0x10", "1_0", "-NaN", "+NaN", "", "1,5", "one", "0x1p4", "."]
TYPES = ["counter", "gauge", "untyped"]


def text_labels(rng, odd):
    pairs = []
    for name in rng.sample(LABELS, rng.randrange(0, 4)):
        blank = lambda: rng.choice(["", " ", "\t"]) if odd else ""
        value = rng.choice(VALUES[1:] if name.startswith("exported_") else VALUES)  # 2.42 takes an empty one for taken
        pairs.append(f'{blank()}{name}{blank()}={blank()}"{value}"{blank()}')
    if not pairs:
        return rng.choice(["", "", "{}"])
    joined = ",".join(pairs) if not odd else rng.choice([",", ", "]).join(pairs)
    return "{" + joined + ("," if odd and rng.random() < 0.2 else "") + "}"


def text_line(rng, odd, stamps):
    line = rng.choice(NAMES) + text_labels(rng, odd)
    line += rng.choice([" ", "\t", "  "]) if odd else " "
    line += rng.choice(NUMBERS)
    if stamps and rng.random() < 0.3:
        line += f" @{rng.choice([-60003, -5007, -1, 1, 1011, 599000, 700000, -7200000])}@"
    return line + (rng.choice(["", " ", " \t"]) if odd else "") + "\n"


def text_comment(rng):
    name = rng.choice(NAMES)
    return rng.choice([
        f"# TYPE {name} {rng.choice(TYPES)}\n", f"# HELP {name} some \\\\ help\n", "#\n", "# comment\n", "\n", " \t\n",
        "# EOF\n", f"#TYPE {name} nonsense\n", f"# HELP {name}\n", f"#\tHELP\t{name}\tx\n",
    ])


def text_body(rng, stamps=False):
    odd = rng.random() < 0.5
    lines = [text_comment(rng) if rng.random() < 0.2 else text_line(rng, odd, stamps) for _ in range(rng.randrange(0, 14))]
    return "".join(lines)


def om_body(rng, stamps=False):
    lines = []
    for _ in range(rng.randrange(0, 10)):
        name = rng.choice(["m", "a:b", "go_info", "x"])
        if rng.random() < 0.2:
            lines.append(rng.choice([f"# TYPE {name} gauge\n", f"# HELP {name} h \\\" \\n\n", f"# TYPE {name} unknown\n",
                                     f"# UNIT {name}_seconds seconds\n", f"# TYPE {name} stateset\n"]))
            continue
        line = name + text_labels(rng, False) + " " + rng.choice(NUMBERS)
        if stamps and rng.random() < 0.3:
            line += f" @s{rng.choice([-60.003, -5.007, -0.5, 1.257, 700])}@"
        lines.append(line + "\n")
    return "".join(lines) + "# EOF" + rng.choice(["", "\n"])


def spoilt(rng, body):
    """One small damage anywhere."""
    at = rng.randrange(0, len(body) + 1)
    kind = rng.randrange(0, 6)
    if kind == 0:
        return body[:at] + rng.choice(["{", "}", '"', "=", ",", " ", "\r", "\n", "#", "\\", "\0", "é", "1", "_", "\t"]) + body[at:]
    if kind == 1:
        return body[:at] + body[at + 1:]
    if kind == 2:
        return body[:at]
    if kind == 3:
        return body.replace(" 1\n", f" {rng.choice(BAD_NUMBERS)}\n", 1)
    if kind == 4:
        return body + rng.choice(["m{,} 1\n", 'm{a="1",,b="2"} 1\n', 'm{a="1" b="2"} 1\n', "# TYPE m foo\n", "m 1 1.5\n",
                                  "m 1 -5\n", "1m 1\n", 'm{a="1",a="2"} 1\n', 'm{__name__="x"} 1\n', "m\n", "m 1\r\n"])
    return body[:at] + body[at:][::-1]


RULES = [
    [],
    [{"source_labels": ["__name__"], "regex": "go_.*", "action": "drop"}],
    [{"source_labels": ["z"], "regex": "1", "action": "drop"}],
    [{"regex": "z|code", "action": "labeldrop"}],
    [{"source_labels": ["__name__", "z"], "separator": "/", "regex": "m/(.+)", "target_label": "zz", "replacement": "v-$1"}],
    [{"source_labels": ["__name__"], "regex": "m|x_sum", "action": "keep"}],
    [{"regex": "exported_(.+)", "action": "labelmap", "replacement": "was_$1"}],
    [{"source_labels": ["__name__"], "modulus": 3, "target_label": "shard", "action": "hashmod"}],
    [{"source_labels": ["__name__"], "target_label": "__name__", "regex": "istio_(.*)", "replacement": "mesh_$1"}],
    [{"source_labels": ["code"], "target_label": "code", "action": "uppercase"}],
    [{"regex": "__name__", "action": "labeldrop"}],
]


def job_fields(rng):
    fields = {"metric_relabel_configs": rng.choice(RULES)}
    if rng.random() < 0.3:
        fields["honor_labels"] = True
    if rng.random() < 0.2:
        fields["honor_timestamps"] = False
    if rng.random() < 0.1:
        fields["label_limit"] = rng.choice([3, 5])
    if rng.random() < 0.1:
        fields["label_value_length_limit"] = 30
    if rng.random() < 0.1:
        fields["label_name_length_limit"] = 15
    return {key: value for key, value in fields.items() if value != []}


def random_case(rng):
    """Bodies of one target: mostly the same one with small changes, as targets are."""
    kind = "om" if rng.random() < 0.3 else "text"
    stamps = rng.random() < 0.25
    make = om_body if kind == "om" else text_body
    body = make(rng, stamps)
    bodies = []
    for _ in range(4):
        roll = rng.random()
        if roll < 0.1:
            bodies.append(("down", ""))
            continue
        if roll < 0.3:
            body = make(rng, stamps)
        elif roll < 0.5:
            lines = body.splitlines(keepends=True)
            rng.shuffle(lines)
            body = "".join(lines[: rng.randrange(0, len(lines) + 1)])
        served = spoilt(rng, body) if rng.random() < 0.25 else body
        bodies.append((kind, served or "# EOF\n"))
    return job_fields(rng), bodies


def limit_case(limit, bodies):
    return {"sample_limit": limit}, [("text", body) for body in bodies]


def cases(count):
    """(job fields, [(kind, body)]) of every case, the same ones on each call."""
    rng = random.Random(20240229)
    out = [random_case(rng) for _ in range(count)]
    out.append(limit_case(2, ["a 1\nb 2\n", "a 1\nb 2\nc 3\n", "a 1\nb 2\n", "a 1\n"]))
    out.append(limit_case(1, ["a 1\nb 2\nc 3\n", "a 1\nb 2\nc 3\n", "a 1\n", "b 1\n"]))
    out.append(({}, [("om", 'a_total 1 # {x="y"} 1 @s-1@\n# EOF\n'), ("om", 'a_total 2 # {} 1\n# EOF\n'), ("text", "a_total 3\n"),
                     ("om", "a_total 4\n")]))
    return out


# Where Prometheus 3 differs from 2.42: (why, kind, body, labels beside job and instance that 3.x stores; None: it is up).
KNOWN_DIFFERENCES = [
    ("le is normalised", "text", '# TYPE h histogram\nh_bucket{le="1"} 1\n', {"__name__": "h_bucket", "le": "1.0"}),
    ("quantile is normalised", "text", '# TYPE s summary\ns{quantile="1"} 1\n', {"__name__": "s", "quantile": "1.0"}),
    ("exemplars on every type", "om", '# TYPE g gauge\ng 1 # {a="b"} 1\n# EOF\n', {"__name__": "g"}),
    ("an empty body is an empty scrape", "om", "", None),
    ("quoted metric names", "text", '{"m"} 1\n', {"__name__": "m"}),
    ("quoted label names", "text", 'm{"a"="b"} 1\n', {"__name__": "m", "a": "b"}),
    ("an empty exported_ label is free", "text", 'm{job="x",exported_job=""} 1\n', {"__name__": "m", "exported_job": "x"}),
    ("quoted family names", "text", '# TYPE "m" gauge\nm 1\n', {"__name__": "m"}),
]
