#include "tests/integration/log_region.h"

#include <snappy.h>

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

FakeLoki::FakeLoki()
    : server_(StartReceiver([this](const ServerRequest& r) { return Handle(r); })) {}

std::string FakeLoki::url() const {
  return "http://127.0.0.1:" + std::to_string(server_->port()) + "/loki/api/v1/push";
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
  const std::string complaint = Parse(request, &parsed);
  std::vector<std::string> selectors;
  for (const auto& [selector, lines] : parsed.streams) selectors.push_back(selector);
  return book_.Answer(parsed, selectors, complaint,
                      [this](const LokiRequest& pushed) { return Judge(pushed); });
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

}  // namespace ampari
