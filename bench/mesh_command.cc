// ampari-bench mesh: serves a Mesh until SIGTERM.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "bench/command.h"
#include "bench/mesh/mesh.h"
#include "common/runtime/exit_codes.h"
#include "common/runtime/logging.h"
#include "common/runtime/shutdown.h"

namespace ampari::bench {
namespace {

struct MeshFlags {
  MeshOptions options;
  std::vector<std::string> faults;  // kind=share
  std::string targets_path, node, port_file;
  int slow_ms = 12'000;
};

bool ReadFaults(const std::vector<std::string>& texts, FaultShares* shares) {
  double sum = 0;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    const absl::StatusOr<Fault> fault = ParseFault(text.substr(0, equals));
    double share = -1;
    const bool told =
        equals != std::string::npos && absl::SimpleAtod(text.substr(equals + 1), &share);
    sum += share;
    if (!fault.ok() || !told || !(share >= 0) || sum > 1) {
      Log(LogLevel::kError, "unusable --fault (kind=share)",
          {{"text", text}, {"error", fault.status()}});
      return false;
    }
    (*shares)[*fault] = share;
  }
  return true;
}

int RunMesh(MeshFlags flags) {
  if (!ReadFaults(flags.faults, &flags.options.behaviour.faults)) return kExitUsage;
  flags.options.slow_answer = absl::Milliseconds(flags.slow_ms);
  StopSignals signals(nullptr);
  absl::StatusOr<std::unique_ptr<Mesh>> mesh = Mesh::Start(flags.options);
  if (!mesh.ok()) {
    Log(LogLevel::kError, "the mesh cannot start", {{"error", mesh.status()}});
    return kExitRuntime;
  }
  if (!flags.targets_path.empty()) {
    std::ofstream file(flags.targets_path, std::ios::binary | std::ios::trunc);
    file << (*mesh)->TargetsJson(flags.node);
  }
  const MeshPorts ports = (*mesh)->ports();
  Log(LogLevel::kInfo, "mesh is listening",
      {{"sidecars", flags.options.sidecars},
       {"sidecar_port", ports.sidecar},
       {"istiod_port", ports.istiod}});
  if (!flags.port_file.empty()) {
    std::ofstream(flags.port_file) << ports.sidecar << " " << ports.istiod << "\n";
  }
  signals.Wait();
  const MeshCounts counts = (*mesh)->counts();
  std::printf("{\"scrapes\":%lu,\"samples\":%lu,\"bytes\":%lu}\n", counts.scrapes, counts.samples,
              counts.bytes);
  return kExitOk;
}

void AddTrafficFlags(CLI::App& command, MeshFlags& flags) {
  TargetBehaviour& behaviour = flags.options.behaviour;
  command
      .add_option("--combinations", behaviour.traffic.http_combinations,
                  "HTTP traffic combinations per sidecar, 67 series each.")
      ->capture_default_str();
  command
      .add_option("--tcp-combinations", behaviour.traffic.tcp_combinations,
                  "TCP traffic combinations per sidecar, 4 series each.")
      ->capture_default_str();
  command.add_flag("--lognormal", behaviour.lognormal_traffic,
                   "Draw the combinations per sidecar (median 6, 99th percentile 60).");
  command.add_option("--churn", behaviour.churn,
                     "Chance per scrape that a traffic combination appears or vanishes.");
  command.add_option("--fault", flags.faults,
                     "kind=share of scrapes: status, badline, cut, slow, crlf, duplicate.");
  command.add_option("--slow-ms", flags.slow_ms, "How long a slow answer takes.")
      ->capture_default_str();
}

}  // namespace

void AddMeshCommand(CLI::App& app, Command* run) {
  auto flags = std::make_shared<MeshFlags>();
  flags->options.sidecar_port = 15020;
  flags->options.istiod_port = 15014;
  CLI::App* command =
      app.add_subcommand("mesh", "Simulated sidecars and istiod on loopback addresses.");
  command->add_option("--sidecars", flags->options.sidecars, "Number of sidecars.")
      ->capture_default_str();
  command->add_option("--nodes", flags->options.nodes, "Nodes that they are spread over.")
      ->capture_default_str();
  command->add_option("--seed", flags->options.seed, "The same seed gives the same mesh.")
      ->capture_default_str();
  command->add_option("--sidecar-port", flags->options.sidecar_port, "0: any free one.")
      ->capture_default_str();
  command->add_option("--istiod-port", flags->options.istiod_port, "0: any free one.")
      ->capture_default_str();
  command->add_option("--log", flags->options.log_path, "Record of every answer, JSON lines.");
  command->add_option("--bodies", flags->options.bodies_path, "The bodies served, for verify.");
  command->add_option("--print-targets", flags->targets_path, "Write the targets as file_sd JSON.");
  command->add_option("--targets-node", flags->node, "Only this node's (node-0, node-1, ...).");
  command->add_option("--port-file", flags->port_file,
                      "Write the two ports there once they are bound.");
  AddTrafficFlags(*command, *flags);
  command->callback([flags, run] { *run = [flags] { return RunMesh(*flags); }; });
}

}  // namespace ampari::bench
