#include "gateway/queue_command.h"

#include <filesystem>
#include <iostream>
#include <optional>
#include <utility>

#include "common/http/loop.h"
#include "common/runtime/clock.h"
#include "gateway/status/pages.h"
#include "gateway/store/repair.h"
#include "gateway/store/store.h"
#include "gateway/topology.h"

namespace ampari {
namespace {

constexpr absl::Duration kAnswerTimeout =
    absl::Minutes(5);  // verify reads everything that is stored
constexpr size_t kMaxAnswerBytes = size_t{64} << 20;

const char* PathOf(QueueVerb verb) {
  switch (verb) {
    case QueueVerb::kStatus:
      return "/api/v1/queue";
    case QueueVerb::kList:
      return "/api/v1/status/ledger";
    case QueueVerb::kVerify:
      return "/api/v1/queue/verify";
    case QueueVerb::kRepair:
      break;
  }
  return "/-/healthy";
}

// An address to connect to for one that is listened on.
std::string Reachable(const std::string& listen_address) {
  const size_t colon = listen_address.rfind(':');
  const std::string host = listen_address.substr(0, colon);
  const std::string port = listen_address.substr(colon + 1);
  if (host.empty() || host == "0.0.0.0") return "127.0.0.1:" + port;
  return host == "[::]" ? "[::1]:" + port : listen_address;
}

// nullopt: nobody answers.
std::optional<HttpResponse> AskRunning(QueueVerb verb, const GatewayConfig& config) {
  HttpRequest request;
  request.url = "http://" + Reachable(config.http_listen_address) + PathOf(verb);
  request.timeout = kAnswerTimeout;
  request.connect_timeout = absl::Seconds(2);
  request.max_response_bytes = kMaxAnswerBytes;
  HttpResponse response = FetchOnce(std::move(request));
  if (!response.transport.ok() || response.status != 200) return std::nullopt;
  return response;
}

StoreOptions OptionsOf(const GatewayConfig& config) {
  StoreOptions options;
  options.directory = config.storage.directory;
  options.max_bytes = config.storage.max_bytes;
  options.max_age = config.storage.max_age;
  return options;
}

ExitCode Failed(const absl::Status& status) {
  std::cerr << status.message() << "\n";
  if (status.code() == absl::StatusCode::kDataLoss) return kExitStorageDamaged;
  return status.code() == absl::StatusCode::kFailedPrecondition ? kExitStorageInUse : kExitRuntime;
}

ExitCode PrintVerified(const std::string& page) {
  std::cout << page << "\n";
  return page.rfind("{\"ok\":true", 0) == 0 ? kExitOk : kExitRuntime;
}

ExitCode LookAtDirectory(QueueVerb verb, const GatewayConfig& config) {
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(OptionsOf(config), SystemClock());
  if (!store.ok()) return Failed(store.status());
  if (verb == QueueVerb::kVerify) return PrintVerified(VerifyPage((*store)->Verify()));
  GatewaySnapshot snapshot;
  snapshot.store = (*store)->status();
  snapshot.now_ms = (*store)->NowMs();
  std::cout << (verb == QueueVerb::kList ? LedgerPage(snapshot) : QueuePage(snapshot)) << "\n";
  return kExitOk;
}

ExitCode Repair(const GatewayConfig& config) {
  absl::StatusOr<std::vector<std::string>> words = RepairStore(OptionsOf(config));
  if (!words.ok()) return Failed(words.status());
  for (const std::string& sentence : *words) std::cout << sentence << "\n";
  return kExitOk;
}

}  // namespace

ExitCode RunQueueCommand(QueueVerb verb, const GatewayConfig& config) {
  const std::optional<HttpResponse> answer = AskRunning(verb, config);
  if (answer && verb == QueueVerb::kRepair) {
    std::cerr << "a gateway runs at " << config.http_listen_address
              << ": stop it before its storage is repaired\n";
    return kExitStorageInUse;
  }
  if (answer && verb == QueueVerb::kVerify) return PrintVerified(answer->body);
  if (answer) {
    std::cout << answer->body << "\n";
    return kExitOk;
  }
  std::error_code error;
  if (!std::filesystem::is_directory(config.storage.directory, error)) {
    std::cerr << "no gateway answers at " << config.http_listen_address
              << ", and storage.directory " << config.storage.directory << " is not a directory\n";
    return kExitStorageInUse;
  }
  std::cerr << "no gateway answers at " << config.http_listen_address << ": opening "
            << config.storage.directory << "\n";
  return verb == QueueVerb::kRepair ? Repair(config) : LookAtDirectory(verb, config);
}

}  // namespace ampari
