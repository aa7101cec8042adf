// ampari-bench logs: writes log files as a LogMesh until SIGTERM, or until enough lines are
// written.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "bench/command.h"
#include "bench/mesh/log_mesh.h"
#include "common/runtime/exit_codes.h"
#include "common/runtime/logging.h"
#include "common/runtime/shutdown.h"

namespace ampari::bench {
namespace {

struct LogsFlags {
  LogMeshOptions options;
  std::string runtime = "containerd";
  bool copytruncate = false, keep_plain = false;
  int64_t rotate_check_ms = 10'000, linger_ms = 5000, flush_ms = 1000;
  double restart_every_s = 0, replace_every_s = 0;
};

absl::StatusOr<LogMeshOptions> OptionsOf(const LogsFlags& flags) {
  LogMeshOptions options = flags.options;
  const absl::StatusOr<LogRuntime> runtime = ParseLogRuntime(flags.runtime);
  if (!runtime.ok()) return runtime.status();
  options.runtime = *runtime;
  options.compress = !flags.keep_plain;
  options.rotation = flags.copytruncate ? RotationMode::kCopyTruncate : RotationMode::kRename;
  options.rotate_check = absl::Milliseconds(flags.rotate_check_ms);
  options.flush_every = absl::Milliseconds(flags.flush_ms);
  options.linger = absl::Milliseconds(flags.linger_ms);
  options.restart_every = absl::Seconds(flags.restart_every_s);
  options.replace_every = absl::Seconds(flags.replace_every_s);
  return options;
}

int RunLogs(const LogsFlags& flags) {
  const absl::StatusOr<LogMeshOptions> options = OptionsOf(flags);
  if (!options.ok()) {
    Log(LogLevel::kError, "unusable flags", {{"error", options.status()}});
    return kExitUsage;
  }
  StopSignals signals(nullptr);
  absl::StatusOr<std::unique_ptr<LogMesh>> mesh = LogMesh::Start(*options);
  if (!mesh.ok()) {
    Log(LogLevel::kError, "the containers cannot start", {{"error", mesh.status()}});
    return kExitRuntime;
  }
  Log(LogLevel::kInfo, "containers are writing",
      {{"pods", options->pods}, {"directory", options->directory}});
  if (options->max_lines == 0) {
    signals.Wait();
    (*mesh)->Stop();
  }
  const absl::Status ended = (*mesh)->Wait();
  const LogMeshCounts counts = (*mesh)->counts();
  std::printf(
      "{\"lines\":%lu,\"bytes\":%lu,\"rotations\":%lu,\"restarts\":%lu,\"pods\":%lu,"
      "\"gone\":%lu}\n",
      counts.lines, counts.bytes, counts.rotations, counts.restarts, counts.pods, counts.gone);
  if (!ended.ok()) Log(LogLevel::kError, "the writing ended", {{"error", ended}});
  return ended.ok() ? kExitOk : kExitRuntime;
}

void AddMixFlags(CLI::App& command, LineMix& mix) {
  command.add_flag("--json", mix.json, "Access lines as JSON.");
  command.add_option("--tcp", mix.tcp, "Share of TCP lines.")->capture_default_str();
  command.add_option("--agent", mix.agent, "Share of the agent's lines.")->capture_default_str();
  command.add_option("--envoy", mix.envoy, "Share of Envoy's own lines, on standard error.")
      ->capture_default_str();
  command.add_option("--long", mix.long_line, "Share of lines of 10 to 60 KB.")
      ->capture_default_str();
  command.add_option("--invalid", mix.invalid, "Share of lines that are not UTF-8.")
      ->capture_default_str();
}

void AddFileFlags(CLI::App& command, LogsFlags& flags) {
  LogMeshOptions& options = flags.options;
  command.add_option("--runtime", flags.runtime, "containerd, crio or docker.")
      ->capture_default_str();
  command.add_option("--flush-ms", flags.flush_ms, "Envoy writes so often, or at 64 KB.")
      ->capture_default_str();
  command.add_option("--rotate-bytes", options.rotate_bytes, "Files of this size are rotated ...")
      ->capture_default_str();
  command.add_option("--rotate-check-ms", flags.rotate_check_ms, "... at a look so often.")
      ->capture_default_str();
  command.add_option("--max-files", options.max_files, "Of one container's life, as kubelet.")
      ->capture_default_str();
  command.add_flag("--copytruncate", flags.copytruncate, "Copy and truncate instead of renaming.");
  command.add_flag("--keep-plain", flags.keep_plain, "Rotated files are not compressed.");
  command.add_option("--restart-every", flags.restart_every_s,
                     "Seconds until the next container restarts; 0: never.");
  command.add_option("--replace-every", flags.replace_every_s,
                     "Seconds until the next pod makes place for a new one; 0: never.");
  command.add_option("--linger-ms", flags.linger_ms, "Until a pod's files are deleted.")
      ->capture_default_str();
}

}  // namespace

void AddLogsCommand(CLI::App& app, Command* run) {
  auto flags = std::make_shared<LogsFlags>();
  LogMeshOptions& options = flags->options;
  CLI::App* command = app.add_subcommand("logs", "Writes pods' log files as a node would.");
  command->add_option("--directory", options.directory, "As /var/log/pods.")->required();
  command->add_option("--pods", options.pods, "Containers that write.")->capture_default_str();
  command->add_option("--seed", options.seed, "The same seed says the same.")
      ->capture_default_str();
  command->add_option("--rate", options.lines_per_second, "Lines a second of each container.")
      ->capture_default_str();
  command->add_option("--lines", options.max_lines, "Ends after so many of all; 0: SIGTERM ends.");
  command->add_option("--written", options.written_path, "Record of every line, for verify-logs.");
  command->add_option("--print-targets", options.targets_path,
                      "Write the pods as file_sd JSON, anew at every change.");
  AddMixFlags(*command, options.mix);
  AddFileFlags(*command, *flags);
  command->callback([flags, run] { *run = [flags] { return RunLogs(*flags); }; });
}

}  // namespace ampari::bench
