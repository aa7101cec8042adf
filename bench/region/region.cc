#include "bench/region/region.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/region/control.h"
#include "bench/region/push_rules.h"
#include "common/http/server.h"

namespace ampari::bench {
namespace {

ServerResponse Plain(int status, std::string body) {
  ServerResponse answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

ServerResponse Closed() {
  ServerResponse answer;
  answer.close_without_answer = true;
  return answer;
}

ServerResponse Scripted(const Behaviour& behaviour) {
  ServerResponse answer = Plain(behaviour.status, behaviour.status_body);
  if (!behaviour.retry_after.empty()) {
    answer.headers.emplace_back("Retry-After", behaviour.retry_after);
  }
  return answer;
}

}  // namespace

class Region::Core {
 public:
  explicit Core(RegionOptions options)
      : options_(std::move(options)), logs_(ranges_, options_.discard) {}
  ~Core() {
    metrics_behaviours_.Close();
    logs_behaviours_.Close();
    data_.reset();
    control_.reset();
  }

  absl::Status Start() {
    ServerOptions data;
    data.listen_address = options_.listen_address;
    data.max_body_bytes = options_.max_body_bytes;
    data.max_connections = options_.max_connections;
    data.idle_timeout = absl::Minutes(5);
    data.thread_per_connection = true;
    data.cert_pem = options_.cert_pem;
    data.key_pem = options_.key_pem;
    auto server =
        HttpServer::Start(data, [this](const ServerRequest& request) { return Push(request); });
    if (!server.ok()) return server.status();
    data_ = *std::move(server);
    ServerOptions control;
    control.listen_address = options_.control_address;
    auto second = HttpServer::Start(
        control, [this](const ServerRequest& request) { return OnControl(request); });
    if (!second.ok()) return second.status();
    control_ = *std::move(second);
    return absl::OkStatus();
  }

  uint16_t port() const { return data_->port(); }
  uint16_t control_port() const { return control_->port(); }
  bool tls() const { return !options_.cert_pem.empty(); }
  const LogReceiver& logs() const { return logs_; }

  absl::Status Update(std::map<std::string, std::string> values, const std::string& tenant) {
    std::string signal;
    if (const auto named = values.find("signal"); named != values.end()) {
      signal = named->second;
      if (signal != "metrics" && signal != "logs") {
        return absl::InvalidArgumentError("signal is metrics or logs");
      }
      values.erase(named);
    }
    absl::Status updated;
    if (signal != "logs") updated = metrics_behaviours_.Update(tenant, values);
    if (updated.ok() && signal != "metrics") updated = logs_behaviours_.Update(tenant, values);
    return updated;
  }

  const TenantStore* Find(const std::string& name) const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    const auto found = tenants_.find(name);
    return found == tenants_.end() ? nullptr : found->second.get();
  }

  RegionReport Report() const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    RegionReport report = counts_;
    for (const auto& [name, tenant] : tenants_) {
      report.tenants[name] = tenant->counts();
      report.problems[name] = tenant->problems();
    }
    report.logs = logs_.Report();
    return report;
  }

  void Reset() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    tenants_.clear();
    logs_.Reset();
    counts_ = {};
  }

 private:
  ServerResponse Push(const ServerRequest& request) {
    const std::string tenant = TenantOf(request);
    BehaviourTable& behaviours = IsLogPath(request.path) ? logs_behaviours_ : metrics_behaviours_;
    const Behaviour behaviour = behaviours.Take(tenant);
    ServerResponse answer = Decide(request, tenant, behaviour, behaviours);
    behaviours.Delay(behaviour.delay);
    MutexLock lock(mu_);
    ++counts_.requests;
    counts_.bytes += request.body.size();
    ++counts_.statuses[answer.close_without_answer ? 0 : answer.status];
    return answer;
  }

  ServerResponse Decide(const ServerRequest& request, const std::string& tenant,
                        const Behaviour& behaviour, BehaviourTable& behaviours) {
    const bool logs = IsLogPath(request.path);
    if (!logs && !IsPushPath(request.path)) return Plain(404, "not found\n");
    if (behaviour.mode == RegionMode::kDown) return Closed();
    if (behaviour.mode == RegionMode::kHang) {
      behaviours.WaitForUpdate();
      return Closed();
    }
    if (behaviour.mode == RegionMode::kStatus) return Scripted(behaviour);
    if (!IsAuthorized(request, behaviour.token)) return Plain(401, "token required\n");
    if (behaviour.max_bytes > 0 && request.body.size() > behaviour.max_bytes) {
      return Plain(413, "request body too large\n");
    }
    const RuleBreak broken = logs ? CheckLogHead(request) : CheckHead(request);
    if (broken.status != 0) return Malformed(broken.status, broken.reason);
    uint32_t frames = FrameRanges::kNone;
    if (!FramesOf(request, &frames)) return Malformed(400, "malformed X-Ampari-Frames");
    ServerResponse answer = logs ? TakeLogs(request, tenant, frames, behaviour)
                                 : Take(request, tenant, frames, behaviour);
    return behaviour.mode == RegionMode::kCommitThenClose ? Closed() : answer;
  }

  // False when the header is there and cannot be understood.
  bool FramesOf(const ServerRequest& request, uint32_t* frames) {
    const std::string_view header = request.Header("x-ampari-frames");
    FrameRange range;
    if (header.empty()) return true;
    if (!ParseFrameRange(header, &range)) return false;
    *frames = ranges_.Number(range);
    return true;
  }

  ServerResponse TakeLogs(const ServerRequest& request, const std::string& tenant, uint32_t frames,
                          const Behaviour& behaviour) {
    std::string malformed;
    ServerResponse answer = logs_.Take(request, tenant, frames, behaviour.logs, &malformed);
    return malformed.empty() ? answer : Malformed(answer.status, malformed);
  }

  ServerResponse Take(const ServerRequest& request, const std::string& tenant, uint32_t frames,
                      const Behaviour& behaviour) {
    thread_local std::string plain;
    if (absl::Status status = DecompressRequest(request.body, &plain); !status.ok()) {
      return Malformed(400, std::string(status.message()));
    }
    TenantStore& store = Of(tenant);
    if (options_.discard) {
      const absl::Status counted = store.CountOnly(plain);
      return counted.ok() ? Plain(204, "") : Malformed(400, std::string(counted.message()));
    }
    const absl::StatusOr<std::string> refusal = store.Store(plain, frames, behaviour);
    if (!refusal.ok()) return Malformed(400, std::string(refusal.status().message()));
    return refusal->empty() ? Plain(200, "") : Plain(400, *refusal);
  }

  ServerResponse Malformed(int status, const std::string& reason) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    ++counts_.malformed[reason];
    return Plain(status, reason + "\n");
  }

  TenantStore& Of(const std::string& name) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    std::unique_ptr<TenantStore>& tenant = tenants_[name];
    if (tenant == nullptr) tenant = std::make_unique<TenantStore>(name, ranges_);
    return *tenant;
  }

  ServerResponse OnControl(const ServerRequest& request) {
    if (request.method == "POST" && request.path == "/control") return OnUpdate(request);
    if (request.method == "POST" && request.path == "/reset") {
      Reset();
      return Plain(204, "");
    }
    if (request.path == "/report") {
      ServerResponse answer = Plain(200, Report().ToJson());
      answer.content_type = "application/json";
      return answer;
    }
    if (std::optional<ServerResponse> answer = logs_.Answer(request)) return *std::move(answer);
    const std::string name(request.Query("tenant"));
    const TenantStore* tenant = Find(name.empty() ? kAnonymous : name);
    if (request.path == "/samples") {
      ServerResponse answer = Plain(200, "");
      if (tenant != nullptr)
        answer.stream = SampleLines(*tenant, request.Query("format") == "compact");
      return answer;
    }
    if (request.path == "/metadata")
      return Plain(200, tenant == nullptr ? "" : MetadataLines(*tenant));
    return Plain(404, "not found\n");
  }

  ServerResponse OnUpdate(const ServerRequest& request) {
    absl::StatusOr<std::map<std::string, std::string>> values = ControlValues(request);
    if (!values.ok()) return Plain(400, std::string(values.status().message()) + "\n");
    const auto named = values->find("tenant");
    const std::string tenant = named == values->end() ? "" : named->second;
    values->erase("tenant");
    const absl::Status updated = Update(*values, tenant);
    return updated.ok() ? Plain(204, "") : Plain(400, std::string(updated.message()) + "\n");
  }

  const RegionOptions options_;
  BehaviourTable metrics_behaviours_, logs_behaviours_;
  FrameRanges ranges_;
  LogReceiver logs_;
  mutable Mutex mu_;
  RegionReport counts_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::unique_ptr<TenantStore>> tenants_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<HttpServer> data_, control_;
};

Region::Region(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Region::~Region() = default;

absl::StatusOr<std::unique_ptr<Region>> Region::Start(RegionOptions options) {
  auto core = std::make_unique<Core>(std::move(options));
  if (absl::Status started = core->Start(); !started.ok()) return started;
  return std::unique_ptr<Region>(new Region(std::move(core)));
}

uint16_t Region::port() const { return core_->port(); }
uint16_t Region::control_port() const { return core_->control_port(); }
std::string Region::push_url() const {
  return absl::StrCat(core_->tls() ? "https" : "http", "://127.0.0.1:", port(), "/api/v1/push");
}
absl::Status Region::Control(const std::map<std::string, std::string>& values,
                             const std::string& tenant) {
  return core_->Update(values, tenant);
}
std::string Region::logs_url() const {
  return absl::StrCat(core_->tls() ? "https" : "http", "://127.0.0.1:", port(),
                      "/api/v1/logs/push");
}
const LogStore* Region::logs(const std::string& tenant) const { return core_->logs().Find(tenant); }
RegionReport Region::Report() const { return core_->Report(); }
const TenantStore* Region::tenant(const std::string& name) const { return core_->Find(name); }
void Region::Reset() { core_->Reset(); }

}  // namespace ampari::bench
