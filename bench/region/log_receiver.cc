#include "bench/region/log_receiver.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/time/time.h"
#include "bench/region/control.h"
#include "bench/region/log_lines.h"
#include "bench/region/push_rules.h"
#include "bench/region/write_request.h"
#include "common/runtime/clock.h"

namespace ampari::bench {
namespace {

constexpr std::string_view kLabelPrefix = "label.";

ServerResponse Plain(int status, std::string body) {
  ServerResponse answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

LineFilter FilterOf(const ServerRequest& request) {
  LineFilter filter;
  const std::string_view limit = request.Query("limit");
  std::from_chars(limit.data(), limit.data() + limit.size(), filter.limit);
  filter.limit = std::min(filter.limit, kMaxListedLines);
  for (const auto& [name, value] : QueryValues(request.query)) {
    if (name.starts_with(kLabelPrefix)) filter.labels[name.substr(kLabelPrefix.size())] = value;
  }
  return filter;
}

}  // namespace

bool IsLogPath(std::string_view path) {
  return path == "/loki/api/v1/push" || path == "/api/v1/logs/push";
}

ServerResponse LogReceiver::Take(const ServerRequest& request, const std::string& tenant,
                                 uint32_t frame_range, const LogRules& rules,
                                 std::string* malformed) {
  thread_local std::string plain;
  absl::Status read = DecompressRequest(request.body, &plain);
  LogStore& store = Of(tenant);
  if (read.ok() && discard_) read = store.CountOnly(plain);
  RuleBreak broken;
  if (read.ok() && !discard_) {
    const int64_t now_ns = absl::ToUnixNanos(SystemClock().Now());
    absl::StatusOr<RuleBreak> stored = store.Store(plain, frame_range, rules, now_ns);
    read = stored.status();
    if (stored.ok()) broken = *std::move(stored);
  }
  if (!read.ok()) {
    *malformed = std::string(read.message());
    return Plain(400, *malformed + "\n");
  }
  return broken.status == 0 ? Plain(204, "") : Plain(broken.status, broken.reason + "\n");
}

std::optional<ServerResponse> LogReceiver::Answer(const ServerRequest& request) const {
  const bool lines = request.path == "/lines", hashes = request.path == "/line_hashes";
  if (!lines && !hashes && request.path != "/line_counts") return std::nullopt;
  const std::string name(request.Query("tenant"));
  const LogStore* store = Find(name.empty() ? kAnonymous : name);
  if (lines) return Plain(200, store == nullptr ? "" : LinesJson(*store, FilterOf(request)));
  if (hashes) return Plain(200, store == nullptr ? "" : LineHashes(*store));
  JsonWriter out;
  out.BeginObject();
  if (store != nullptr) {
    const std::string by(request.Query("by"));
    for (const auto& [value, count] : LineCounts(*store, by, FilterOf(request))) {
      out.Field(value, count);
    }
  }
  out.EndObject();
  return Plain(200, out.Take() + "\n");
}

std::map<std::string, LogReceiver::Tenant> LogReceiver::Report() const {
  MutexLock lock(mu_);
  std::map<std::string, Tenant> report;
  for (const auto& [name, store] : tenants_) report[name] = {store->counts(), store->problems()};
  return report;
}

const LogStore* LogReceiver::Find(const std::string& tenant) const {
  MutexLock lock(mu_);
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? nullptr : found->second.get();
}

LogStore& LogReceiver::Of(const std::string& tenant) {
  MutexLock lock(mu_);
  std::unique_ptr<LogStore>& store = tenants_[tenant];
  if (store == nullptr) store = std::make_unique<LogStore>(ranges_);
  return *store;
}

void LogReceiver::Reset() {
  MutexLock lock(mu_);
  tenants_.clear();
}

}  // namespace ampari::bench
