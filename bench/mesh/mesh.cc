#include "bench/mesh/mesh.h"

#include <atomic>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/mesh/scrape_log.h"
#include "common/http/server.h"
#include "common/runtime/clock.h"
#include "common/runtime/logging.h"

namespace ampari::bench {
namespace {

constexpr char kContentType[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr size_t kMaxConnections = 16'384;  // a thread each

ServerResponse NotFound() {
  ServerResponse answer;
  answer.status = 404;
  answer.body = "not found\n";
  return answer;
}

}  // namespace

class Mesh::Core {
 public:
  explicit Core(const MeshOptions& options)
      : options_(options), pods_(MakePods(options.sidecars, options.nodes, options.seed)) {
    for (const Pod& pod : pods_) {
      targets_[pod.ip] = std::make_unique<SimulatedTarget>(pod, options.behaviour, options.seed);
    }
  }

  ~Core() {
    {
      MutexLock lock(mu_);
      stopping_ = true;
      stopping_changed_.NotifyAll();
    }
    sidecars_.reset();
    istiod_.reset();
  }

  absl::Status Start() {
    absl::StatusOr<std::unique_ptr<ScrapeLog>> log =
        ScrapeLog::Create(options_.log_path, options_.bodies_path);
    if (!log.ok()) return log.status();
    log_ = *std::move(log);
    absl::StatusOr<std::unique_ptr<HttpServer>> sidecars = Serve(options_.sidecar_port, false);
    if (!sidecars.ok()) return sidecars.status();
    sidecars_ = *std::move(sidecars);
    absl::StatusOr<std::unique_ptr<HttpServer>> istiod = Serve(options_.istiod_port, true);
    if (!istiod.ok()) return istiod.status();
    istiod_ = *std::move(istiod);
    return absl::OkStatus();
  }

  MeshPorts ports() const { return {sidecars_->port(), istiod_->port()}; }
  const std::vector<Pod>& pods() const { return pods_; }
  MeshCounts counts() const { return {scrapes_, samples_, bytes_}; }

 private:
  absl::StatusOr<std::unique_ptr<HttpServer>> Serve(uint16_t port, bool istiod) {
    ServerOptions server;
    server.listen_address = absl::StrCat("0.0.0.0:", port);
    server.max_connections = kMaxConnections;
    server.idle_timeout = absl::Minutes(10);
    server.thread_per_connection = true;
    return HttpServer::Start(
        server, [this, istiod](const ServerRequest& request) { return Answer(request, istiod); });
  }

  ServerResponse Answer(const ServerRequest& request, bool istiod) {
    const int64_t now_ms = absl::ToUnixMillis(SystemClock().Now());
    const auto found = targets_.find(request.local);
    const bool known_path =
        request.path == "/metrics" || (request.path == "/stats/prometheus" && !istiod);
    if (!request.peer_is_loopback || found == targets_.end() || !known_path ||
        request.method != "GET" || found->second->pod().is_istiod != istiod) {
      return NotFound();
    }
    SimulatedTarget& target = *found->second;
    TargetAnswer next = target.Next();
    if (next.fault == Fault::kSlow) Delay();
    Record(target, next, now_ms, istiod ? istiod_->port() : sidecars_->port());
    ServerResponse answer;
    answer.status = next.fault == Fault::kStatus ? 500 : 200;
    answer.content_type = kContentType;
    answer.body = std::move(next.body);
    answer.told_length = next.told_length;
    return answer;
  }

  void Record(const SimulatedTarget& target, const TargetAnswer& answer, int64_t now_ms,
              uint16_t port) {
    ServedScrape scrape;
    scrape.address = absl::StrCat(target.pod().ip, ":", port);
    scrape.pod = target.pod().name;
    scrape.step = answer.step;
    scrape.time_ms = now_ms;
    scrape.status = answer.fault == Fault::kStatus ? 500 : 200;
    scrape.fault = answer.fault;
    scrape.samples = answer.samples;
    ++scrapes_;
    samples_ += answer.samples;
    bytes_ += answer.body.size();
    const absl::Status kept = log_->Append(std::move(scrape), answer.body);
    if (!kept.ok()) Log(LogLevel::kError, "the scrape log is incomplete", {{"error", kept}});
  }

  void Delay() ABSL_LOCKS_EXCLUDED(mu_) {
    const absl::Duration end = SystemClock().Monotonic() + options_.slow_answer;
    MutexLock lock(mu_);
    while (!stopping_) {
      const absl::Duration left = end - SystemClock().Monotonic();
      if (left <= absl::ZeroDuration()) return;
      stopping_changed_.WaitFor(mu_, left);
    }
  }

  const MeshOptions options_;
  const std::vector<Pod> pods_;
  std::map<std::string, std::unique_ptr<SimulatedTarget>, std::less<>> targets_;  // by ip
  std::unique_ptr<ScrapeLog> log_;
  std::atomic<uint64_t> scrapes_{0}, samples_{0}, bytes_{0};
  Mutex mu_;
  CondVar stopping_changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<HttpServer> sidecars_, istiod_;
};

Mesh::Mesh(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Mesh::~Mesh() = default;

absl::StatusOr<std::unique_ptr<Mesh>> Mesh::Start(const MeshOptions& options) {
  if (options.sidecars < 0 || options.sidecars > kMaxSidecars || options.nodes < 1) {
    return absl::InvalidArgumentError("the number of sidecars or nodes is out of range");
  }
  auto core = std::make_unique<Core>(options);
  if (absl::Status started = core->Start(); !started.ok()) return started;
  return std::unique_ptr<Mesh>(new Mesh(std::move(core)));
}

MeshPorts Mesh::ports() const { return core_->ports(); }
const std::vector<Pod>& Mesh::pods() const { return core_->pods(); }
std::string Mesh::TargetsJson(const std::string& node) const {
  return bench::TargetsJson(core_->pods(), core_->ports(), node);
}
MeshCounts Mesh::counts() const { return core_->counts(); }

}  // namespace ampari::bench
