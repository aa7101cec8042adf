#include "tests/integration/log_region.h"

#include <snappy.h>

#include <thread>

#include "common/runtime/check.h"
#include "loki/push.pb.h"

namespace ampari {
namespace {

constexpr int64_t kNanos = 1'000'000'000;

std::string Parse(const ServerRequest& request, LokiRequest* out) {
  std::string plain;
  logproto::PushRequest message;
  if (out->headers["content-type"] != "application/x-protobuf") return "another content type";
  if (!snappy::Uncompress(request.body.data(), request.body.size(), &plain) ||
      !message.ParseFromString(plain)) {
    return "not a push request";
  }
  if (message.streams().empty()) return "a push without streams";
  std::set<std::string> seen;
  for (const logproto::Stream& stream : message.streams()) {
    if (!seen.insert(stream.labels()).second) return "a stream twice: " + stream.labels();
    if (stream.entries().empty()) return "a stream without lines: " + stream.labels();
    auto& lines = out->streams.emplace_back(stream.labels(), std::vector<LokiLine>()).second;
    for (const logproto::Entry& entry : stream.entries()) {
      std::string metadata;
      for (const auto& pair : entry.structured_metadata())
        metadata += pair.name() + "=" + pair.value() + ",";
      lines.emplace_back(entry.timestamp().seconds() * kNanos + entry.timestamp().nanos(),
                         entry.line(), metadata);
    }
  }
  return "";
}

}  // namespace

size_t LokiRequest::lines() const {
  size_t count = 0;
  for (const auto& [selector, lines] : streams) count += lines.size();
  return count;
}

FakeLoki::FakeLoki() {
  ServerOptions options;
  options.thread_per_connection = true;
  options.max_connections = 256;
  options.max_body_bytes = size_t{64} << 20;
  auto server = HttpServer::Start(options, [this](const ServerRequest& r) { return Handle(r); });
  Check(server.ok(), "the region cannot listen");
  server_ = *std::move(server);
}

std::string FakeLoki::url() const {
  return "http://127.0.0.1:" + std::to_string(server_->port()) + "/loki/api/v1/push";
}

void FakeLoki::SetScript(Script script) {
  MutexLock lock(mu_);
  script_ = std::move(script);
}
void FakeLoki::SetDelay(absl::Duration delay) {
  MutexLock lock(mu_);
  delay_ = delay;
}
void FakeLoki::SetPoison(std::string text) {
  MutexLock lock(mu_);
  poison_ = std::move(text);
}

void FakeLoki::SetForgetful() {
  MutexLock lock(mu_);
  forgetful_ = true;
}

bool FakeLoki::Judge(const LokiRequest& request) {
  MutexLock lock(mu_);
  bool good = true;
  for (const auto& [selector, lines] : request.streams) {
    if (forgetful_) good = true;
    for (const LokiLine& line : lines) {
      const bool refused =
          !poison_.empty() && (selector.find(poison_) != std::string::npos ||
                               std::get<1>(line).find(poison_) != std::string::npos);
      good = good && !refused;
      if (refused) continue;
      if (known_.emplace(selector, line).second) {
        stored_[selector].push_back(line);
      } else {
        ++resent_;
      }
    }
  }
  return good;
}

ServerResponse FakeLoki::Handle(const ServerRequest& request) {
  LokiRequest parsed;
  parsed.body = request.body;
  for (const auto& [name, value] : request.headers) parsed.headers[name] = value;
  for (const auto& [name, value] : request.headers) {
    std::string lower = name;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    parsed.headers[lower] = value;
  }
  std::string complaint = Parse(request, &parsed);
  absl::Duration delay;
  size_t number = 0;
  Script script;
  {
    MutexLock lock(mu_);
    for (const auto& [selector, lines] : parsed.streams) {
      if (!in_flight_.insert(selector).second) complaint = "a stream in two requests: " + selector;
    }
    if (!complaint.empty()) complaints_.push_back(complaint);
    number = requests_.size();
    requests_.push_back(parsed);
    delay = delay_;
    script = script_;
    changed_.NotifyAll();
  }
  // The distance to the region, which is what the test is about.
  if (delay > absl::ZeroDuration()) std::this_thread::sleep_for(absl::ToChronoNanoseconds(delay));
  bool store = false;
  std::optional<ServerResponse> scripted = script ? script(parsed, number, &store) : std::nullopt;
  ServerResponse response;
  response.status = 204;
  if ((!scripted || store) && !Judge(parsed)) {
    response.status = 400;
    response.body = "some line is refused\n";
  }
  MutexLock lock(mu_);
  for (const auto& [selector, lines] : parsed.streams) in_flight_.erase(selector);
  return scripted ? *scripted : response;
}

std::vector<LokiRequest> FakeLoki::requests() const {
  MutexLock lock(mu_);
  return requests_;
}
std::map<std::string, std::vector<LokiLine>> FakeLoki::stored() const {
  MutexLock lock(mu_);
  return stored_;
}
uint64_t FakeLoki::stored_lines() const {
  MutexLock lock(mu_);
  return known_.size();
}
uint64_t FakeLoki::resent() const {
  MutexLock lock(mu_);
  return resent_;
}
std::vector<std::string> FakeLoki::complaints() const {
  MutexLock lock(mu_);
  return complaints_;
}

bool FakeLoki::WaitForRequests(size_t count) {
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  MutexLock lock(mu_);
  while (requests_.size() < count) {
    if (absl::Now() > deadline) return false;
    changed_.WaitFor(mu_, absl::Milliseconds(100));
  }
  return true;
}

}  // namespace ampari
