// ampari-bench region: serves a Region until SIGTERM, then prints its report.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/command.h"
#include "bench/region/region.h"
#include "common/runtime/exit_codes.h"
#include "common/runtime/logging.h"
#include "common/runtime/shutdown.h"

namespace ampari::bench {
namespace {

struct RegionFlags {
  RegionOptions options;
  std::string dump;  // file or directory prefix for the samples, one file per tenant
  std::string port_file;
  std::string cert_file, key_file;
};

// InvalidArgument when a file is empty or cannot be read, or only one is given.
absl::Status ReadCertificate(const RegionFlags& flags, RegionOptions* options) {
  if (flags.cert_file.empty() && flags.key_file.empty()) return absl::OkStatus();
  for (const auto& [file, pem] : {std::pair(&flags.cert_file, &options->cert_pem),
                                  std::pair(&flags.key_file, &options->key_pem)}) {
    std::ifstream in(*file, std::ios::binary);
    pem->assign(std::istreambuf_iterator<char>(in), {});
    if (pem->empty()) return absl::InvalidArgumentError("--tls-cert and --tls-key need PEM files");
  }
  return absl::OkStatus();
}

bool DumpSamples(const Region& region, const std::string& prefix) {
  for (const auto& [name, counts] : region.Report().tenants) {
    std::ofstream file(absl::StrCat(prefix, ".", name), std::ios::binary | std::ios::trunc);
    const auto next = SampleLines(*region.tenant(name), false);
    for (std::string piece = next(); !piece.empty(); piece = next()) file << piece;
    if (!file.flush()) return false;
  }
  return true;
}

int RunRegion(RegionFlags flags) {
  if (absl::Status read = ReadCertificate(flags, &flags.options); !read.ok()) {
    Log(LogLevel::kError, "unusable certificate", {{"error", read}});
    return kExitUsage;
  }
  StopSignals signals(nullptr);
  absl::StatusOr<std::unique_ptr<Region>> region = Region::Start(flags.options);
  if (!region.ok()) {
    Log(LogLevel::kError, "the region cannot start", {{"error", region.status()}});
    return kExitRuntime;
  }
  Log(LogLevel::kInfo, "region is listening",
      {{"push_url", (*region)->push_url()}, {"control_port", (*region)->control_port()}});
  if (!flags.port_file.empty()) {
    std::ofstream(flags.port_file) << (*region)->port() << " " << (*region)->control_port() << "\n";
  }
  signals.Wait();
  std::fputs((*region)->Report().ToJson().c_str(), stdout);
  if (!flags.dump.empty() && !DumpSamples(**region, flags.dump)) {
    Log(LogLevel::kError, "cannot write the samples", {{"prefix", flags.dump}});
    return kExitRuntime;
  }
  return kExitOk;
}

}  // namespace

void AddRegionCommand(CLI::App& app, Command* run) {
  auto flags = std::make_shared<RegionFlags>();
  CLI::App* command =
      app.add_subcommand("region", "A verifying receiver of remote write and Loki pushes.");
  command->add_option("--listen", flags->options.listen_address, "Address of the data port.")
      ->capture_default_str();
  command->add_option("--control", flags->options.control_address, "Address of the control port.")
      ->capture_default_str();
  command->add_option("--max-body-bytes", flags->options.max_body_bytes,
                      "Bodies above (as sent) get 413.");
  command->add_option("--tls-cert", flags->cert_file, "PEM file: the data port speaks TLS.");
  command->add_option("--tls-key", flags->key_file, "PEM file of the certificate's key.");
  command->add_flag("--discard", flags->options.discard, "Count samples and lines, keep none.");
  command->add_option("--dump", flags->dump,
                      "At the end, write each tenant's samples to FILE.<tenant>.");
  command->add_option("--port-file", flags->port_file,
                      "Write the two ports there once they are bound.");
  command->callback([flags, run] { *run = [flags] { return RunRegion(*flags); }; });
}

}  // namespace ampari::bench
