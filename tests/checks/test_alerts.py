"""docs/alerts.yaml: each alert fires when it should and not otherwise, and has its runbook."""

import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALERTS = ROOT / "docs/alerts.yaml"
OPERATIONS = ROOT / "docs/operations.md"
PROMTOOL = shutil.which("promtool")

F, G = "ampari_forwarder_", "ampari_gateway_"
D = '{instance="g",tenant="t",signal="metrics",destination="region"}'
R = '{instance="g",tenant="t",signal="metrics",destination="region",reason="limit"}'
ASIDE = R.replace("limit", "quarantined")
LINES = R.replace("metrics", "logs")
DAY = 86400


def targets(up, down):
    return {f'{F}targets{{instance="n",health="{health}"}}': f"{count}x40"
            for health, count in (("up", up), ("down", down), ("unknown", 0))}


def ring(used):
    return {f"{F}ring_unacknowledged_bytes": f"{used}x40", f"{F}ring_max_bytes": "100x40"}


def long_lines(cut="0x40", refused="0x40"):
    return {F + "log_lines_cut_total": cut, F + "log_lines_refused_total": refused}


def credential(prefix, ends):
    return {prefix + 'credential_expiry_timestamp_seconds{credential="token"}': ends}


def silent(streams, up="1x120"):
    return {f'{G}intake_streams{{instance="g",job="j",entry="a"}}': streams,
            f'{G}build_info{{instance="g",job="j"}}': up}


# (alert, minute, series with one value a minute from time 0 on). In promtool's notation: `4x3` is 4 4 4 4, `0+1x3` 0 1 2 3.
FIRES = [
    ("AmpariForwarderAbsent", 12, {"other": "1x40"}),
    ("AmpariGatewayAway", 6, {F + "gateway_connected": "0x40"}),
    ("AmpariGatewayAway", 6, {F + "gateway_connected": "1x40", F + "gateway_refused": "1x40"}),
    ("AmpariGatewayAway", 6, {F + "gateway_connected": "1x40", F + "log_gateway_connected": "0x40"}),
    ("AmpariGatewayAway", 6, {F + "gateway_connected": "1x40", F + "log_gateway_refused": "1x40"}),
    ("AmpariForwarderRingFull", 3, ring(81)),
    ("AmpariForwarderExpiring", 5, {F + "expired_samples_total": "0 0 0 1000 1000 1000"}),
    ("AmpariForwarderSuperseded", 30, {F + "superseded_total": "0x5 1x5 2x40"}),
    ("AmpariForwarderMoving", 6, {F + "gateway_moving": "1x40"}),
    ("AmpariForwarderLeftUnsettled", 3, {F + 'gateway_moves_total{after="patience"}': "0 0 1 1"}),
    ("AmpariTargetsDown", 11, targets(8, 1)),
    ("AmpariScrapeLimitReached", 10, {F + 'scrape_failures_total{reason="limit"}': "0+4x40"}),
    ("AmpariScrapeLimitReached", 10, {F + 'scrape_failures_total{reason="body_size"}': "0+4x40"}),
    ("AmpariKubernetesWatchStale", 18, {F + "kubernetes_watch_last_success_timestamp_seconds": "60x40"}),
    ("AmpariLogBytesRotatedAwayUnread", 3, {F + "log_rotated_unread_bytes_total": "0 0 5000 5000"}),
    ("AmpariLogFilesBehind", 12, {F + "log_files_behind": "0 2x40"}),
    ("AmpariLogLinesCut", 3, long_lines(cut="0 0 1 1")),
    ("AmpariLogLinesCut", 3, long_lines(refused="0 0 1 1")),
    ("AmpariForwarderReloadFailed", 3, {F + "config_last_reload_successful": "0x40"}),
    ("AmpariForwarderCredentialEnding", 20, credential(F, f"{6 * DAY}x40")),
    ("AmpariForwarderCredentialEndsToday", 20, credential(F, f"{DAY // 2}x40")),
    ("AmpariForwarderCredentialEndsToday", 20, credential(F, "60x40")),
    ("AmpariForwarderCredentialEndsToday", 35, credential(F, "60x10 1200x40")),  # renewed, and over all the same
    ("AmpariGatewayAbsent", 6, {"other": "1x40"}),
    ("AmpariClusterSilent", 30, silent("3x10 _x100")),
    ("AmpariDestinationHeld", 6, {G + "delivery_held_seconds" + D: "1+60x40"}),
    ("AmpariDestinationFailing", 8, {G + "delivery_failing_seconds" + D: "0+60x40", G + "delivery_held" + D: "0x40"}),
    ("AmpariBacklogGrowing", 16, {G + "store_full_estimate_seconds": f"{DAY - 1}x40"}),
    ("AmpariBacklogFullSoon", 6, {G + "store_full_estimate_seconds": "14000x40"}),
    ("AmpariBacklogOld", 8, {G + "oldest_pending_age_seconds" + D: "2701x40"}),
    ("AmpariSamplesRejected", 3, {G + "samples_rejected_total" + R: "0 0 5 5"}),
    ("AmpariSamplesRejected", 3, {G + "samples_rejected_total" + LINES: "0 0 5 5"}),
    ("AmpariSamplesUncertain", 3, {G + "samples_uncertain_total" + D: "0 0 5 5"}),
    ("AmpariSamplesExpired", 3, {G + "samples_expired_total" + R: "0 0 5 5"}),
    ("AmpariSamplesLost", 3, {G + "samples_lost_total" + D: "0 0 5 5"}),
    ("AmpariStoreRolledBack", 3, {G + "store_rollbacks_total": "0 0 1 1"}),
    ("AmpariFramesAside", 6, {G + "samples_aside" + ASIDE: "7x40"}),
    ("AmpariIntakePaused", 2, {G + "store_paused": "1x40"}),
    ("AmpariForwarderNameShared", 11, {G + "store_instances_superseded": "1x40"}),
    ("AmpariForwardersRefused", 10, {G + "intake_unauthenticated_total": "0+1x40"}),
    ("AmpariGatewayReloadFailed", 3, {G + "config_last_reload_successful": "0x40"}),
    ("AmpariTokenFilesUnreadable", 6, {G + "token_files_readable": "0x40"}),
    ("AmpariGatewayCredentialEnding", 20, credential(G, f"{6 * DAY}x40")),
    ("AmpariGatewayCredentialEndsToday", 20, credential(G, f"{DAY // 2}x40")),
]

QUIET = [
    ("AmpariForwarderAbsent", 40, {F + 'build_info{instance="n"}': "1x40"}),
    ("AmpariGatewayAway", 40, {F + "gateway_connected": "1x40", F + "gateway_refused": "0x40"}),
    ("AmpariGatewayAway", 5, {F + "gateway_connected": "1 1 0 0 0 0"}),  # a restart of the gateway
    ("AmpariForwarderRingFull", 40, ring(79)),
    ("AmpariForwarderExpiring", 40, {F + "expired_samples_total": "1000x40"}),
    ("AmpariForwarderSuperseded", 40, {F + "superseded_total": "0x5 1x40"}),  # an update with surge
    ("AmpariForwarderMoving", 40, {F + "gateway_moving": "1x3 0x40"}),
    ("AmpariForwarderLeftUnsettled", 40, {F + 'gateway_moves_total{after="settled"}': "0 1 2 3"}),
    ("AmpariTargetsDown", 40, targets(10, 1)),
    ("AmpariTargetsDown", 40, targets(0, 0)),
    ("AmpariScrapeLimitReached", 40, {F + 'scrape_failures_total{reason="timeout"}': "0+4x40"}),
    ("AmpariKubernetesWatchStale", 40, {F + "kubernetes_watch_last_success_timestamp_seconds": "0+60x40"}),
    ("AmpariLogBytesRotatedAwayUnread", 40, {F + "log_rotated_unread_bytes_total": "5000x40"}),
    ("AmpariLogFilesBehind", 40, {F + "log_files_behind": "2x8 0 2x8 0x40"}),
    ("AmpariLogLinesCut", 40, long_lines(cut="3x40", refused="4x40")),
    ("AmpariForwarderReloadFailed", 40, {F + "config_last_reload_successful": "1x40"}),
    ("AmpariForwarderCredentialEnding", 40, credential(F, f"{8 * DAY}x40")),
    ("AmpariForwarderCredentialEnding", 40, credential(F, f"{DAY}x10 {2 * DAY}x40")),  # it renews itself
    ("AmpariForwarderCredentialEndsToday", 40, credential(F, f"{2 * DAY}x40")),
    ("AmpariForwarderCredentialEndsToday", 40, credential(F, "3600x20 7200x40")),  # a token of one hour
    ("AmpariGatewayAbsent", 40, {G + 'build_info{instance="g"}': "1x40"}),
    ("AmpariClusterSilent", 40, silent("3x120")),
    ("AmpariClusterSilent", 100, silent("3x10 _x100")),  # long gone
    ("AmpariClusterSilent", 30, silent("3x10 _x100", up="1x10 _x100")),  # the gateway is away itself
    ("AmpariDestinationHeld", 40, {G + "delivery_held_seconds" + D: "0x40"}),
    ("AmpariDestinationFailing", 40, {G + "delivery_failing_seconds" + D: "0 60 120 180 240 0x40"}),
    ("AmpariDestinationFailing", 40, {G + "delivery_failing_seconds" + D: "0+60x40", G + "delivery_held" + D: "1x40"}),
    ("AmpariBacklogGrowing", 40, {G + "store_full_estimate_seconds": f"{2 * DAY}x40"}),
    ("AmpariBacklogGrowing", 40, {"other": "1x40"}),  # nothing grows
    ("AmpariBacklogFullSoon", 40, {G + "store_full_estimate_seconds": "15000x40"}),
    ("AmpariBacklogOld", 40, {G + "oldest_pending_age_seconds" + D: "2600x40"}),
    ("AmpariBacklogOld", 40, {G + "oldest_pending_age_seconds" + D.replace("metrics", "logs"): "9000x40"}),  # Loki does not mind
    ("AmpariSamplesRejected", 40, {G + "samples_rejected_total" + R: "5x40"}),
    ("AmpariSamplesUncertain", 40, {G + "samples_uncertain_total" + D: "5x40"}),
    ("AmpariSamplesExpired", 40, {G + "samples_expired_total" + R: "5x40"}),
    ("AmpariSamplesLost", 40, {G + "samples_lost_total" + D: "5x40"}),
    ("AmpariStoreRolledBack", 40, {G + "store_rollbacks_total": "1x40"}),
    ("AmpariFramesAside", 40, {G + "samples_aside" + ASIDE: "0x40"}),
    ("AmpariIntakePaused", 40, {G + "store_paused": "0x40"}),
    ("AmpariForwarderNameShared", 40, {G + "store_instances_superseded": "1x5 0x40"}),
    ("AmpariForwardersRefused", 40, {G + "intake_unauthenticated_total": "0x5 3x40"}),
    ("AmpariGatewayReloadFailed", 40, {G + "config_last_reload_successful": "1x40"}),
    ("AmpariTokenFilesUnreadable", 40, {G + "token_files_readable": "1x40"}),
    ("AmpariGatewayCredentialEnding", 40, credential(G, f"{30 * DAY}x40")),
    ("AmpariGatewayCredentialEndsToday", 40, credential(G, f"{2 * DAY}x40")),
]


def rules():
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def names():
    return {rule["alert"] for rule in rules()}


def promtool(*arguments):
    return subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True)


def rule_test(row, fires):
    alert, minute, series = row
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{
            "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) > bool 0',
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
        }],
    }


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed")
def test_rules_are_valid():
    checked = promtool("check", "rules", ALERTS)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed")
@pytest.mark.parametrize("table, fires", [(FIRES, True), (QUIET, False)], ids=["fires", "quiet"])
def test_rules_on_series(tmp_path, table, fires):
    tests = tmp_path / "alerts.test.yaml"
    tests.write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": "1m",
                                     "tests": [rule_test(row, fires) for row in table]}))
    checked = promtool("test", "rules", tests)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_alert_is_tested_both_ways():
    assert {row[0] for row in FIRES} == names()
    assert {row[0] for row in QUIET} == names()


def test_alerts_are_complete():
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning"), rule
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}, rule
        assert "{{" not in rule["annotations"]["summary"], rule
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}", rule


def test_every_alert_has_its_runbook():
    headings = re.findall(r"^### (Ampari\w+)$", OPERATIONS.read_text(), re.M)
    assert sorted(headings) == sorted(names())


def test_every_runbook_is_whole():
    for part in re.split(r"^### ", OPERATIONS.read_text(), flags=re.M)[1:]:
        name, text = part.split("\n", 1)
        if name in names():
            for word in ("*Means*", "*Do*", "*Over*"):
                assert word in text, f"{name} lacks {word}"


def test_alerts_ask_for_metrics_that_exist():
    """Names of the expressions, as the sources of the programs have them."""
    sources = "".join(path.read_text() for program in ("forwarder", "gateway", "common")
                      for path in (ROOT / program).rglob("*.cc"))
    for rule in rules():
        for prefix, name in re.findall(r"\b(ampari_(?:forwarder|gateway)_)(\w+)", rule["expr"]):
            short = re.sub(r"^(store|intake|delivery|kubernetes|log)_", "", name)
            assert re.search(rf'"(?:{prefix})?_?(?:{name}|{short})"', sources), f"{rule['alert']}: {prefix}{name}"
