// ampari-bench verify-logs: exits with 1 unless every line that was written arrived exactly once,
// in order and unchanged.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bench/command.h"
#include "bench/verify/log_check.h"
#include "common/runtime/exit_codes.h"
#include "common/runtime/logging.h"

namespace ampari::bench {
namespace {

struct VerifyLogsFlags {
  std::string written, region, tenant = "anonymous";
  LogLabelNames labels;
  std::vector<std::string> only;  // name=value
  bool allow_gone = false;
};

bool Good(const LogVerifyCounts& counts, bool allow_gone) {
  const uint64_t problems = counts.missing + counts.missing_dangling + counts.doubled +
                            counts.wrong_time + counts.unknown + counts.out_of_order +
                            (allow_gone ? 0 : counts.missing_gone);
  return problems == 0 && counts.verified > 0;
}

int RunVerifyLogs(VerifyLogsFlags flags) {
  for (const std::string& text : flags.only) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) {
      Log(LogLevel::kError, "give --label as name=value", {{"text", text}});
      return kExitUsage;
    }
    flags.labels.only[text.substr(0, equals)] = text.substr(equals + 1);
  }
  const absl::StatusOr<std::vector<WrittenContainer>> written = ReadWrittenLog(flags.written);
  if (!written.ok()) {
    Log(LogLevel::kError, "cannot read what was written", {{"error", written.status()}});
    return kExitRuntime;
  }
  const absl::StatusOr<DeliveredLogs> delivered =
      ReadRegionLogs(flags.region, flags.tenant, flags.labels);
  if (!delivered.ok()) {
    Log(LogLevel::kError, "cannot read what arrived", {{"error", delivered.status()}});
    return kExitRuntime;
  }
  const LogVerifyCounts counts = VerifyLogs(*written, *delivered);
  std::fputs(counts.ToJson().c_str(), stdout);
  return Good(counts, flags.allow_gone) ? kExitOk : kExitRuntime;
}

}  // namespace

void AddVerifyLogsCommand(CLI::App& app, Command* run) {
  auto flags = std::make_shared<VerifyLogsFlags>();
  CLI::App* command =
      app.add_subcommand("verify-logs", "Compares what logs wrote with what a region holds.");
  command->add_option("--written", flags->written, "What logs --written wrote.")->required();
  command->add_option("--region", flags->region, "URL of a region's control port.")->required();
  command->add_option("--tenant", flags->tenant, "The region's tenant.")->capture_default_str();
  command->add_option("--namespace-label", flags->labels.namespace_name, "Of the streams.")
      ->capture_default_str();
  command->add_option("--pod-label", flags->labels.pod, "Of the streams.")->capture_default_str();
  command->add_option("--container-label", flags->labels.container, "Of the streams.")
      ->capture_default_str();
  command->add_option("--label", flags->only,
                      "name=value: streams without it are not looked at; repeatable.");
  command->add_flag("--allow-gone", flags->allow_gone,
                    "Missing lines whose files were removed are no failure.");
  command->callback([flags, run] { *run = [flags] { return RunVerifyLogs(*flags); }; });
}

}  // namespace ampari::bench
