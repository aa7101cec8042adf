// ampari-bench verify: exits with 1 unless everything that a mesh served arrived exactly once.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "bench/command.h"
#include "bench/verify/verify.h"
#include "common/runtime/exit_codes.h"
#include "common/runtime/logging.h"

namespace ampari::bench {
namespace {

struct VerifyFlags {
  VerifyOptions options;
  std::string log, bodies, targets, region, prometheus, tenant = "anonymous";
  std::vector<std::string> extra;    // name=value
  std::vector<std::string> ignored;  // metric names
  std::string normalise;             // "", true, false
  int64_t window_s = 3600;
  uint64_t allow_lost = 0;
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

absl::Status ReadReceiver(const VerifyFlags& flags, const std::map<std::string, LabelMap>& targets,
                          Delivered* delivered) {
  if (!flags.region.empty()) return ReadRegion(flags.region, flags.tenant, delivered);
  std::vector<std::string> instances;
  for (const auto& [address, labels] : targets) instances.push_back(address);
  const bool open = flags.options.until_ms == INT64_MAX;
  const int64_t until = open ? 0 : flags.options.until_ms + flags.options.tolerance_ms;
  return ReadPrometheus(flags.prometheus, instances, flags.window_s, until, delivered);
}

absl::StatusOr<VerifyCounts> Compare(const VerifyFlags& flags) {
  absl::StatusOr<std::map<std::string, LabelMap>> targets =
      ReadTargets(ReadFile(flags.targets), flags.options.labels);
  if (!targets.ok()) return targets.status();
  absl::StatusOr<std::vector<ServedScrape>> served = ReadScrapeLog(flags.log);
  if (!served.ok()) return served.status();
  absl::StatusOr<BodyFile> bodies = BodyFile::Open(flags.bodies);
  if (!bodies.ok()) return bodies.status();
  Delivered delivered(flags.options.labels.extra);
  if (absl::Status read = ReadReceiver(flags, *targets, &delivered); !read.ok()) return read;
  return Verify(flags.options, *targets, *served, *bodies, delivered);
}

bool Complete(VerifyFlags& flags) {
  for (const std::string& text : flags.extra) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) return false;
    flags.options.labels.extra[text.substr(0, equals)] = text.substr(equals + 1);
  }
  flags.options.ignored_metrics.insert(flags.ignored.begin(), flags.ignored.end());
  flags.options.labels.normalise_bounds =
      flags.normalise.empty() ? flags.prometheus.empty() : flags.normalise == "true";
  return flags.region.empty() != flags.prometheus.empty();
}

int RunVerify(VerifyFlags flags) {
  if (!Complete(flags)) {
    Log(LogLevel::kError, "give --region or --prometheus, and --extra-label as name=value");
    return kExitUsage;
  }
  absl::StatusOr<VerifyCounts> counts = Compare(flags);
  if (!counts.ok()) {
    Log(LogLevel::kError, "cannot compare", {{"error", counts.status()}});
    return kExitRuntime;
  }
  std::fputs(counts->ToJson().c_str(), stdout);
  const uint64_t allowed = std::min(counts->lost, flags.allow_lost);
  return counts->problems() == allowed && counts->verified > 0 ? kExitOk : kExitRuntime;
}

}  // namespace

void AddVerifyCommand(CLI::App& app, Command* run) {
  auto flags = std::make_shared<VerifyFlags>();
  VerifyOptions& options = flags->options;
  CLI::App* command =
      app.add_subcommand("verify", "Compares a mesh's record with what a receiver holds.");
  command->add_option("--mesh-log", flags->log, "What mesh --log wrote.")->required();
  command->add_option("--bodies", flags->bodies, "What mesh --bodies wrote.")->required();
  command->add_option("--targets", flags->targets, "What mesh --print-targets wrote.")->required();
  command->add_option("--region", flags->region, "URL of a region's control port.");
  command->add_option("--tenant", flags->tenant, "The region's tenant.")->capture_default_str();
  command->add_option("--prometheus", flags->prometheus,
                      "URL of a Prometheus instead of a region.");
  command->add_option("--window", flags->window_s, "Seconds to read from Prometheus.")
      ->capture_default_str();
  command->add_option("--job", options.labels.job, "The job label.")->capture_default_str();
  command->add_option(
      "--extra-label", flags->extra,
      "name=value that the gateway adds to every series; others are not looked at.");
  command
      ->add_option(
          "--normalise", flags->normalise,
          "le and quantile as in Prometheus 3; default: true for a region, false for --prometheus.")
      ->check(CLI::IsMember({"true", "false"}));
  command
      ->add_option("--tolerance-ms", options.tolerance_ms,
                   "Between an answer and the timestamp of its samples.")
      ->capture_default_str();
  command->add_option("--from", options.from_ms, "Answers before (Unix ms) are not looked at.");
  command->add_option("--until", options.until_ms, "Answers after (Unix ms) are not looked at.");
  command->add_flag("--check-stale", options.check_stale, "Demand staleness markers too.");
  command->add_option("--ignore-metric", flags->ignored,
                      "Series of this name are not looked at; repeatable.");
  command->add_option("--allow-lost", flags->allow_lost, "Lost scrapes that are no failure.");
  command->callback([flags, run] { *run = [flags] { return RunVerify(*flags); }; });
}

}  // namespace ampari::bench
