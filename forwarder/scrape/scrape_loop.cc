#include "forwarder/scrape/scrape_loop.h"

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "common/http/loop.h"
#include "common/runtime/logging.h"
#include "common/runtime/mutex.h"
#include "forwarder/scrape/parser_pool.h"
#include "forwarder/scrape/schedule.h"
#include "forwarder/scrape/scrape_plan.h"
#include "forwarder/scrape/scrape_transfer.h"

namespace ampari {
namespace {

// The loop looks at the clock at least this often, so that a step of the clock is seen.
constexpr absl::Duration kLongestPoll = absl::Seconds(1);
// Wall and monotonic time that differ by more in one turn are a jump: what was planned is planned
// anew.
constexpr absl::Duration kClockJump = absl::Seconds(2);
// One connection per target is kept; beyond this many, transfers wait for a free one.
constexpr size_t kMaxConnections = 4096;
constexpr absl::Duration kClockReading = absl::Milliseconds(100);
constexpr absl::Duration kEndOfRunRetry = absl::Seconds(1);

}  // namespace

class ScrapeLoop::Core {
 public:
  explicit Core(ScrapeLoopOptions options);

  void Start() {
    thread_ = std::thread([this] { Run(); });
  }
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);
  void Apply(TargetSet targets) ABSL_LOCKS_EXCLUDED(mu_);
  void Wakeup() { http_->Wakeup(); }
  std::vector<TargetStatus> targets() const ABSL_LOCKS_EXCLUDED(mu_);
  ScrapeLoopStatus status() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // A target and the loop thread's knowledge of it.
  struct Entry {
    std::shared_ptr<ScrapedTarget> target;
    HttpRequest request;
    std::string over_limit;  // why it is not scraped; empty: it is
    bool living = true;
    std::shared_ptr<ScrapeTransfer> transfer;  // null: none is running
    HttpLoop::RequestId request_id = 0;
  };

  void Run();
  void ReadMail() ABSL_LOCKS_EXCLUDED(mu_);
  void Adopt(TargetSet set);
  void Put(Target target, const std::string& over_limit);
  void ShowLiving() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Time ReadClock();
  void ObeySuccessor(absl::Time now);
  void RunDue(absl::Time now);
  void Scrape(const std::string& id, absl::Time timestamp);
  void StartTransfer(const std::string& id, Entry& entry, absl::Time timestamp);
  void EndOfRun(const ScrapePlan::Due& due, absl::Time now);
  bool CameBack(const Labels& labels, absl::Time since) const;
  absl::Duration TimeToNext(absl::Time now) const;
  template <typename Change>
  void Count(Change change) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    change(counts_);
  }

  const ScrapeLoopOptions options_;
  ScrapeOutlet outlet_;
  ParserPool pool_{kParserThreads};
  // The loop thread's.
  std::unique_ptr<HttpLoop> http_ = std::make_unique<HttpLoop>(kMaxConnections);
  std::unordered_map<std::string, Entry> entries_;  // by id
  ScrapePlan plan_;
  MonotonicStamps stamps_;
  absl::Time last_stamp_ = absl::InfinitePast();
  absl::Duration last_monotonic_, successor_asked_ = -absl::InfiniteDuration();
  bool superseded_ = false;

  mutable Mutex mu_;
  std::optional<TargetSet> new_targets_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> has_room_ ABSL_GUARDED_BY(mu_);
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::shared_ptr<ScrapedTarget>> shown_ ABSL_GUARDED_BY(mu_);
  ScrapeLoopStatus counts_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

ScrapeLoop::Core::Core(ScrapeLoopOptions options) : options_(std::move(options)) {
  outlet_.clock = options_.clock;
  outlet_.numbers = options_.numbers;
  outlet_.max_scrape_bytes = options_.max_scrape_bytes;
  outlet_.ship = options_.ship;
  outlet_.has_room = [this](const std::string& id) {
    MutexLock lock(mu_);
    has_room_.push_back(id);
    if (http_ != nullptr) http_->Wakeup();
  };
  outlet_.tally = [this](const std::function<void(ScrapeTotals&)>& change) {
    MutexLock lock(mu_);
    change(counts_.totals);
  };
}

void ScrapeLoop::Core::Stop() {
  {
    MutexLock lock(mu_);
    stop_ = true;
  }
  if (thread_.joinable()) {
    http_->Wakeup();
    thread_.join();
  }
  pool_.Drain();
}

void ScrapeLoop::Core::Apply(TargetSet targets) {
  MutexLock lock(mu_);
  new_targets_ = std::move(targets);
  http_->Wakeup();
}

std::vector<TargetStatus> ScrapeLoop::Core::targets() const {
  std::vector<std::shared_ptr<ScrapedTarget>> shown;
  {
    MutexLock lock(mu_);
    shown = shown_;
  }
  std::vector<TargetStatus> all;
  all.reserve(shown.size());
  for (const auto& target : shown) all.push_back(target->status());
  return all;
}

ScrapeLoopStatus ScrapeLoop::Core::status() const {
  const std::vector<TargetStatus> all = targets();
  MutexLock lock(mu_);
  ScrapeLoopStatus status = counts_;
  for (const TargetStatus& target : all) {
    status.up += target.health == TargetHealth::kUp ? 1 : 0;
    status.down += target.health == TargetHealth::kDown ? 1 : 0;
    status.unknown += target.health == TargetHealth::kUnknown ? 1 : 0;
    status.series += target.series;
    status.memory_bytes += target.memory_bytes;
  }
  return status;
}

void ScrapeLoop::Core::Run() {
  while (true) {
    {
      MutexLock lock(mu_);
      if (stop_) return;
    }
    const absl::Time now = ReadClock();
    ReadMail();
    ObeySuccessor(now);
    if (!superseded_) RunDue(now);
    http_->Poll(TimeToNext(now));
  }
}

absl::Time ScrapeLoop::Core::ReadClock() {
  absl::Duration monotonic = options_.clock->Monotonic();
  absl::Time wall = options_.clock->Now();
  // Time that passes between the two readings would look like a step of the clock.
  for (int i = 0; i < 3 && options_.clock->Monotonic() - monotonic > kClockReading; ++i) {
    monotonic = options_.clock->Monotonic();
    wall = options_.clock->Now();
  }
  const absl::Time now = stamps_.Read(wall, monotonic);
  const absl::Duration drift = (now - last_stamp_) - (monotonic - last_monotonic_);
  const bool jumped = last_stamp_ != absl::InfinitePast() && !stamps_.slowed() &&
                      absl::AbsDuration(drift) > kClockJump;
  last_stamp_ = now;
  last_monotonic_ = monotonic;
  if (jumped) {
    Log(LogLevel::kWarn, "the wall clock jumped", {{"by", drift}});
    plan_.Replan(now);
  }
  Count([&](ScrapeLoopStatus& counts) {
    counts.clock_small_steps = stamps_.small_steps();
    counts.clock_large_steps = stamps_.large_steps();
  });
  return now;
}

void ScrapeLoop::Core::ReadMail() {
  std::optional<TargetSet> targets;
  std::vector<std::string> rooms;
  {
    MutexLock lock(mu_);
    targets = std::exchange(new_targets_, std::nullopt);
    rooms.swap(has_room_);
  }
  for (const std::string& id : rooms) {
    const auto it = entries_.find(id);
    if (it == entries_.end() || it->second.transfer == nullptr) continue;
    if (it->second.transfer->paused()) http_->Resume(it->second.request_id);
  }
  if (targets.has_value()) Adopt(*std::move(targets));
}

void ScrapeLoop::Core::Adopt(TargetSet set) {
  std::unordered_map<const ScrapeJob*, uint64_t> per_job;
  std::unordered_set<std::string> present;
  for (const Target& target : set.targets) {
    ++per_job[target.job.get()];
    present.insert(target.id);
  }
  for (Target& target : set.targets) {
    const uint64_t limit = target.job->target_limit;
    const uint64_t count = per_job[target.job.get()];
    Put(std::move(target), limit != 0 && count > limit
                               ? absl::StrCat("target_limit exceeded (number of targets: ", count,
                                              ", limit: ", limit, ")")
                               : "");
  }
  for (auto& [id, entry] : entries_) {
    if (present.contains(id)) continue;
    entry.living = false;
    plan_.Leave(id, last_stamp_);
  }
  ShowLiving();
}

void ScrapeLoop::Core::Put(Target target, const std::string& over_limit) {
  const auto [it, added] = entries_.try_emplace(target.id);
  Entry& entry = it->second;
  entry.living = true;
  entry.over_limit = over_limit;
  entry.request = ScrapeRequest(target);
  plan_.Put(target.id, target.interval,
            OffsetInInterval(TargetHash(target.labels, target.url), options_.offset_seed,
                             target.interval),
            last_stamp_);
  if (added) {
    entry.target = std::make_shared<ScrapedTarget>(std::move(target), outlet_, pool_);
  } else {
    entry.target->Reconfigure(std::move(target));
  }
}

void ScrapeLoop::Core::ShowLiving() {
  std::vector<std::shared_ptr<ScrapedTarget>> living;
  for (const auto& [id, entry] : entries_) {
    if (entry.living) living.push_back(entry.target);
  }
  MutexLock lock(mu_);
  shown_ = std::move(living);
}

void ScrapeLoop::Core::ObeySuccessor(absl::Time now) {
  if (options_.superseded == nullptr || last_monotonic_ - successor_asked_ < kLongestPoll) return;
  successor_asked_ = last_monotonic_;
  const bool before = std::exchange(superseded_, options_.superseded());
  if (before == superseded_) return;
  Log(LogLevel::kWarn, superseded_ ? "scraping stops: a newer instance of this forwarder lives"
                                   : "scraping goes on: the newer instance is gone");
  if (!superseded_) plan_.Replan(now);
  Count([&](ScrapeLoopStatus& counts) { counts.superseded = superseded_; });
}

void ScrapeLoop::Core::RunDue(absl::Time now) {
  while (std::optional<ScrapePlan::Due> due = plan_.Pop(now)) {
    if (due->end_of_run) {
      EndOfRun(*due, now);
    } else {
      Scrape(due->id, due->timestamp);
    }
  }
}

void ScrapeLoop::Core::Scrape(const std::string& id, absl::Time timestamp) {
  Entry& entry = entries_.at(id);
  if (entry.transfer != nullptr || entry.target->busy()) {
    Count([](ScrapeLoopStatus& counts) { ++counts.skipped_ticks; });
    return;
  }
  if (entry.over_limit.empty()) {
    StartTransfer(id, entry, timestamp);
    return;
  }
  ScrapeOutcome outcome;
  outcome.end.transport = absl::ResourceExhaustedError(entry.over_limit);
  outcome.end.target_limit_hit = true;
  outcome.failure = ScrapeFailure::kTargetLimit;
  outcome.started = last_monotonic_;
  entry.target->Begin({absl::ToUnixMillis(timestamp), ScrapeProtocol::kText004});
  entry.target->Finish(std::move(outcome));
}

void ScrapeLoop::Core::StartTransfer(const std::string& id, Entry& entry, absl::Time timestamp) {
  auto transfer = std::make_shared<ScrapeTransfer>(entry.target, absl::ToUnixMillis(timestamp),
                                                   last_monotonic_);
  HttpLoop::Callbacks callbacks;
  callbacks.on_head = [transfer](const HttpResponse& head) { transfer->OnHead(head); };
  callbacks.on_data = [this, transfer](std::string_view bytes) {
    const BodyFlow flow = transfer->OnData(bytes);
    if (flow == BodyFlow::kPause) Count([](ScrapeLoopStatus& counts) { ++counts.pauses; });
    return flow;
  };
  callbacks.on_done = [this, transfer, id](const HttpResponse& response) {
    transfer->OnDone(response);
    entries_.at(id).transfer = nullptr;
  };
  entry.transfer = std::move(transfer);
  entry.request_id = http_->Start(entry.request, std::move(callbacks));
}

void ScrapeLoop::Core::EndOfRun(const ScrapePlan::Due& due, absl::Time now) {
  const auto it = entries_.find(due.id);
  if (it == entries_.end()) return;
  if (it->second.transfer != nullptr) {  // a scrape outlived its interval; its end comes first
    plan_.Postpone(due, now + kEndOfRunRetry);
    return;
  }
  ScrapedTarget& target = *it->second.target;
  target.End(absl::ToUnixMillis(due.timestamp), !CameBack(target.target()->labels, due.timestamp));
  entries_.erase(it);
}

// True when another target, at another URL or of another job, writes the same series by now:
// markers would come late.
bool ScrapeLoop::Core::CameBack(const Labels& labels, absl::Time since) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& item) {
    const Entry& other = item.second;
    if (!other.living) return false;
    const TargetStatus status = other.target->status();
    return status.last_scrape >= since && status.target->labels == labels;
  });
}

absl::Duration ScrapeLoop::Core::TimeToNext(absl::Time now) const {
  if (superseded_) return kLongestPoll;
  absl::Duration wait = plan_.next() - now;
  if (stamps_.slowed()) wait = wait * 10 / 9;
  return std::clamp(wait, absl::ZeroDuration(), kLongestPoll);
}

ScrapeLoop::ScrapeLoop(ScrapeLoopOptions options)
    : core_(std::make_unique<Core>(std::move(options))) {}
ScrapeLoop::~ScrapeLoop() { Stop(); }
void ScrapeLoop::Start() { core_->Start(); }
void ScrapeLoop::Apply(TargetSet targets) { core_->Apply(std::move(targets)); }
void ScrapeLoop::Stop() { core_->Stop(); }
void ScrapeLoop::Wakeup() { core_->Wakeup(); }
std::vector<TargetStatus> ScrapeLoop::targets() const { return core_->targets(); }
ScrapeLoopStatus ScrapeLoop::status() const { return core_->status(); }

}  // namespace ampari
