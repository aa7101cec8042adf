#include "gateway/queue_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <optional>
#include <utility>

#include "common/http/loop.h"
#include "common/runtime/clock.h"
#include "gateway/status/pages.h"
#include "gateway/status/queue_text.h"
#include "gateway/store/repair.h"
#include "gateway/store/store.h"
#include "gateway/topology.h"

namespace ampari {
namespace {

constexpr absl::Duration kAnswerTimeout =
    absl::Minutes(5);  // verify reads everything that is stored
constexpr size_t kMaxAnswerBytes = size_t{64} << 20;

std::string PathOf(QueueVerb verb, QueueOutput output) {
  const std::string text = output == QueueOutput::kText ? "?format=text" : "";
  switch (verb) {
    case QueueVerb::kStatus:
      return text.empty() ? "/api/v1/status/ledger" : "/api/v1/queue" + text;
    case QueueVerb::kList:
      return "/api/v1/dead_letters" + text;
    case QueueVerb::kVerify:
      return "/api/v1/queue/verify" + text;
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

// nullopt: nobody answers, or not a gateway. 503: the gateway is busy with an earlier verify.
std::optional<HttpResponse> AskRunning(QueueVerb verb, QueueOutput output,
                                       const GatewayConfig& config) {
  HttpRequest request;
  request.url = "http://" + Reachable(config.http_listen_address) + PathOf(verb, output);
  request.timeout = kAnswerTimeout;
  request.connect_timeout = absl::Seconds(2);
  request.max_response_bytes = kMaxAnswerBytes;
  HttpResponse response = FetchOnce(std::move(request));
  if (!response.transport.ok()) return std::nullopt;
  if (response.status != 200 && response.status != 503) return std::nullopt;
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

void Print(const std::string& text) {
  std::cout << text << (text.empty() || text.back() != '\n' ? "\n" : "");
}

ExitCode PrintVerified(const std::string& page) {
  Print(page);
  const bool good = page.rfind("ok", 0) == 0 || page.rfind("{\"ok\":true", 0) == 0;
  return good ? kExitOk : kExitRuntime;
}

std::string DeadLettersOf(const Store& store, const GatewaySnapshot& snapshot, QueueOutput output) {
  std::string text;
  for (const std::string& tenant : TenantsOf(snapshot)) {
    const std::vector<DeadLetter> letters = store.DeadLetters(tenant, kMaxDeadLetters);
    text += output == QueueOutput::kText ? DeadLettersText(tenant, letters)
                                         : DeadLettersPage(tenant, letters) + "\n";
  }
  return text.empty() ? kNoDeadLetters : text;
}

ExitCode LookAtDirectory(QueueVerb verb, QueueOutput output, const GatewayConfig& config) {
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(OptionsOf(config), SystemClock());
  if (!store.ok()) return Failed(store.status());
  const bool words = output == QueueOutput::kText;
  if (verb == QueueVerb::kVerify) {
    const std::vector<VerifyProblem> problems = (*store)->Verify();
    return PrintVerified(words ? VerifyText(problems) : VerifyPage(problems));
  }
  GatewaySnapshot snapshot;
  snapshot.store = (*store)->status();
  snapshot.now_ms = (*store)->NowMs();
  if (verb == QueueVerb::kList) {
    Print(DeadLettersOf(**store, snapshot, output));
  } else {
    Print(words ? QueueText(snapshot) : LedgerPage(snapshot));
  }
  return kExitOk;
}

ExitCode Repair(const GatewayConfig& config) {
  absl::StatusOr<std::vector<std::string>> words = RepairStore(OptionsOf(config));
  if (!words.ok()) return Failed(words.status());
  for (const std::string& sentence : *words) std::cout << sentence << "\n";
  return kExitOk;
}

}  // namespace

void AddQueueCommand(CLI::App& app, QueueCommand* command) {
  CLI::App* queue =
      app.add_subcommand("queue", "Queues of the running gateway or of a stopped one");
  queue->require_subcommand(1, 1);
  queue->fallthrough();
  queue->callback([command] { command->asked = true; });
  queue->add_flag_callback(
      "--json", [command] { command->output = QueueOutput::kJson; }, "The answer as JSON");
  const auto add = [&](const char* name, QueueVerb verb, const char* help) {
    queue->add_subcommand(name, help)->callback([command, verb] { command->verb = verb; });
  };
  add("status", QueueVerb::kStatus, "The account, what waits, what slows it, when it is drained");
  add("list", QueueVerb::kList, "The dead letters: what the region refused, and its words");
  add("verify", QueueVerb::kVerify, "Recounts what is stored and compares with the account");
  add("repair", QueueVerb::kRepair, "Repairs the storage of a stopped gateway, a copy aside");
}

ExitCode RunQueueCommand(const QueueCommand& command, const GatewayConfig& config) {
  const QueueVerb verb = command.verb;
  const QueueOutput output = command.output;
  const std::optional<HttpResponse> answer = AskRunning(verb, output, config);
  if (answer && verb == QueueVerb::kRepair) {
    std::cerr << "a gateway runs at " << config.http_listen_address
              << ": stop it before its storage is repaired\n";
    return kExitStorageInUse;
  }
  if (answer && answer->status == 503) {
    std::cerr << "the gateway at " << config.http_listen_address << " says: " << answer->body;
    return kExitRuntime;
  }
  if (answer && verb == QueueVerb::kVerify) return PrintVerified(answer->body);
  if (answer) {
    Print(answer->body);
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
  return verb == QueueVerb::kRepair ? Repair(config) : LookAtDirectory(verb, output, config);
}

}  // namespace ampari
