#include "forwarder/discovery/kubernetes/pod_watch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/http/retry_after.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

constexpr size_t kMaxRefusalBytes = size_t{64} << 10;

// Whether version `a` is older than `b`. Versions are decimal numbers of one sequence (KEP-5504);
// of anything else nothing is known.
bool IsOlder(const std::string& a, const std::string& b) {
  uint64_t x = 0, y = 0;
  return absl::SimpleAtoi(a, &x) && absl::SimpleAtoi(b, &y) && x < y;
}

std::string WordsOf(const HttpResponse& response, const ApiStatus& status) {
  if (response.status < 200 || response.status == 200) {
    return std::string(response.transport.message());
  }
  return absl::StrCat("the API answers ", response.status, status.words.empty() ? "" : ": ",
                      status.words);
}

}  // namespace

PodWatch::PodWatch(Collection collection, PodWatchSurroundings surroundings)
    : collection_(std::move(collection)),
      with_(std::move(surroundings)),
      query_(collection_.query),
      due_(with_.clock->Monotonic()),
      backoff_(with_.timings.backoff),
      slow_(with_.timings.slow) {
  MutexLock lock(mu_);
  status_.url = CollectionUrl("", query_);
}

void PodWatch::Tick() {
  if (stopped_ || busy() || with_.clock->Monotonic() < due_ || !FindAccess()) return;
  if (phase_ == Phase::kList) {
    StartPage();
  } else {
    StartWatch();
  }
}

void PodWatch::Stop() {
  stopped_ = true;
  if (request_.has_value()) with_.loop->Cancel(*request_);
}

bool PodWatch::FindAccess() {
  if (access_.has_value()) return true;
  absl::StatusOr<ApiAccess> access = collection_.access();
  if (access.ok() && collection_.own_namespace && access->own_namespace.empty()) {
    access = absl::NotFoundError("own_namespace is asked for, and nothing says what it is");
  }
  if (!access.ok()) {
    Fail({PodWatchFailure::kAccess, std::string(access.status().message()), {}});
    return false;
  }
  access_ = *std::move(access);
  if (collection_.own_namespace) query_.namespace_name = access_->own_namespace;
  MutexLock lock(mu_);
  status_.url = CollectionUrl(access_->url, query_);
  return true;
}

HttpRequest PodWatch::NewRequest(std::string url, absl::Duration timeout) const {
  HttpRequest request;
  request.url = std::move(url);
  request.headers = {{"Accept", "application/json"}};
  request.timeout = timeout;
  request.options = access_->http;
  return request;
}

void PodWatch::StartPage() {
  {
    MutexLock lock(mu_);
    if (continue_token_.empty()) {
      pods_.BeginList();
      pages_ = 0;
      ++status_.lists;
    }
  }
  HttpRequest request =
      NewRequest(ListUrl(access_->url, query_, {continue_token_, !newest_, page_limit_}),
                 with_.timings.list_timeout);
  request.max_response_bytes = kMaxPodPageBytes;
  request.accept_gzip = true;
  request_ = with_.loop->Start(
      std::move(request),
      {nullptr, nullptr, [this](const HttpResponse& response) { OnPage(response); }});
}

void PodWatch::OnPage(const HttpResponse& response) {
  request_.reset();
  if (stopped_) return;
  if (std::optional<Failure> failure = AddPage(response); failure.has_value()) {
    Fail(*std::move(failure));
    return;
  }
  Succeed();
  due_ = with_.clock->Monotonic();
  if (continue_token_.empty()) FinishList();
}

std::optional<PodWatch::Failure> PodWatch::AddPage(const HttpResponse& response) {
  const ApiStatus told = response.status == 200 ? ApiStatus() : ParseApiStatus(response.body);
  if (const auto kind = ClassifyResponse(response, told); kind.has_value()) {
    const auto wait = ParseRetryAfter(response.Header("retry-after"), with_.clock->Now());
    return Failure{*kind, WordsOf(response, told), wait.value_or(told.retry_after)};
  }
  absl::StatusOr<PodPage> page = ParsePodPage(response.body, resource());
  if (!page.ok()) {
    return Failure{PodWatchFailure::kMalformed, std::string(page.status().message()), {}};
  }
  if (continue_token_.empty()) list_version_ = page->resource_version;
  continue_token_ = std::move(page->continue_token);
  NoteRefusedPod(page->refused);
  MutexLock lock(mu_);
  const bool fits = std::all_of(page->pods.begin(), page->pods.end(),
                                [this](DiscoveredPod& pod) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
                                  return pods_.Add(std::move(pod));
                                });
  if (fits && ++pages_ <= kMaxPodPages) return std::nullopt;
  return Failure{
      PodWatchFailure::kTooLarge,
      absl::StrCat("a list of more than ", PodList::kMaxPods, " pods or ", kMaxPodPages, " pages"),
      {}};
}

// A server's cache may be older than what another server told, and may have begun empty.
bool PodWatch::IsDoubtful() const {
  if (newest_) return false;
  MutexLock lock(mu_);
  return IsOlder(list_version_, resource_version_) || (pods_.listed() == 0 && pods_.size() > 0);
}

void PodWatch::FinishList() {
  if (IsDoubtful()) {
    newest_ = true;
    return;
  }
  bool changed = false;
  {
    MutexLock lock(mu_);
    changed = pods_.EndList();
    changed |= !std::exchange(status_.synced, true);
  }
  newest_ = false;
  page_limit_ = kPodsPerPage;
  resource_version_ = list_version_;
  phase_ = Phase::kWatch;
  if (changed) with_.changed();
}

void PodWatch::StartWatch() {
  {
    MutexLock lock(mu_);
    ++status_.watches;
  }
  const PodWatchTimings& timings = with_.timings;
  const absl::Duration length =
      timings.watch_min + (timings.watch_max - timings.watch_min) * with_.random();
  const int64_t seconds = std::max<int64_t>(1, absl::ToInt64Seconds(length));
  watch_started_ = with_.clock->Monotonic();
  watch_status_ = 0;
  watch_events_ = 0;
  lines_ = WatchLines();
  refusal_.clear();
  in_band_.reset();
  HttpRequest request = NewRequest(WatchUrl(access_->url, query_, resource_version_, seconds),
                                   absl::Seconds(seconds) + timings.watch_grace);
  HttpLoop::Callbacks callbacks;
  callbacks.on_head = [this](const HttpResponse& head) {
    watch_status_ = head.status;
    if (head.status == 200) Succeed();
  };
  callbacks.on_data = [this](std::string_view piece) { return OnPiece(piece); };
  callbacks.on_done = [this](const HttpResponse& response) { OnWatchEnd(response); };
  request_ = with_.loop->Start(std::move(request), std::move(callbacks));
}

BodyFlow PodWatch::OnPiece(std::string_view piece) {
  if (watch_status_ != 200) {
    refusal_.append(piece.substr(0, kMaxRefusalBytes - refusal_.size()));
    return BodyFlow::kContinue;
  }
  bool changed = false;
  const absl::Status status =
      lines_.Add(piece, [&](std::string_view line) { return OnLine(line, &changed); });
  if (!status.ok() && !in_band_.has_value()) {
    in_band_ = Failure{PodWatchFailure::kTooLarge, std::string(status.message()), {}};
  }
  if (changed) with_.changed();
  return status.ok() ? BodyFlow::kContinue : BodyFlow::kAbort;
}

absl::Status PodWatch::OnLine(std::string_view line, bool* changed) {
  absl::StatusOr<WatchEvent> event = ParseWatchEvent(line, resource());
  if (!event.ok()) {
    in_band_ = Failure{PodWatchFailure::kMalformed, std::string(event.status().message()), {}};
  } else {
    in_band_ = Take(*std::move(event), changed);
  }
  return in_band_.has_value() ? absl::CancelledError("the watch ends here") : absl::OkStatus();
}

std::optional<PodWatch::Failure> PodWatch::Take(WatchEvent event, bool* changed) {
  if (event.type == WatchEvent::Type::kError) {
    return Failure{ClassifyStatus(event.status),
                   absl::StrCat("the watch tells ", event.status.code, ": ", event.status.words),
                   event.status.retry_after};
  }
  NoteRefusedPod(event.refused);
  ++watch_events_;
  Succeed();
  MutexLock lock(mu_);
  ++status_.events;
  if (event.type == WatchEvent::Type::kUpsert) {
    if (!pods_.HasRoom(event.pod.key)) {
      return Failure{
          PodWatchFailure::kTooLarge, absl::StrCat("more than ", PodList::kMaxPods, " pods"), {}};
    }
    *changed |= pods_.Upsert(std::move(event.pod));
  } else if (event.type == WatchEvent::Type::kRemove) {
    *changed |= pods_.Remove(event.pod.key);
  }
  resource_version_ = std::move(event.resource_version);
  return std::nullopt;
}

void PodWatch::OnWatchEnd(const HttpResponse& response) {
  request_.reset();
  if (stopped_) return;
  const absl::Duration lived = with_.clock->Monotonic() - watch_started_;
  const bool proven = watch_status_ == 200 && lived >= with_.timings.proven;
  if (proven || watch_events_ > 0) {
    backoff_.Reset();
    slow_.Reset();
  }
  if (in_band_.has_value()) {
    Fail(*std::move(in_band_));
    return;
  }
  const ApiStatus told = response.status == 200 ? ApiStatus() : ParseApiStatus(refusal_);
  auto kind = ClassifyResponse(response, told);
  if (!kind.has_value() && proven) {  // its time was over
    due_ = with_.clock->Monotonic();
    return;
  }
  if (!kind.has_value()) {
    Fail({PodWatchFailure::kCut,
          absl::StrCat("a watch ended after ", absl::FormatDuration(lived)),
          {}});
    return;
  }
  if (kind == PodWatchFailure::kConnection && response.status == 200) kind = PodWatchFailure::kCut;
  const auto wait = ParseRetryAfter(response.Header("retry-after"), with_.clock->Now());
  Fail({*kind, WordsOf(response, told), wait.value_or(told.retry_after)});
}

void PodWatch::NoteRefusedPod(const std::string& refused) {
  if (refused.empty()) return;
  Log(refused_log_limit_, LogLevel::kWarn, "a pod is beyond a bound", {{"error", refused}});
}

void PodWatch::Succeed() {
  std::string url;
  {
    MutexLock lock(mu_);
    status_.error.clear();
    status_.last_success = with_.clock->Now();
    url = status_.url;
  }
  if (!std::exchange(logged_, false)) return;
  Log(LogLevel::kInfo, "pods are listed and watched again", {{"url", url}});
}

void PodWatch::Fail(Failure failure) {
  const FailureRule rule = RuleOf(failure.kind);
  due_ = with_.clock->Monotonic() + DelayAfter(failure);
  if (rule.list_again) {
    phase_ = Phase::kList;
    continue_token_.clear();
  }
  newest_ |= rule.newest;
  if (failure.kind == PodWatchFailure::kTooLarge) {
    page_limit_ = std::max(kMinPodsPerPage, page_limit_ / 2);
  }
  if (rule.read_access) access_.reset();
  bool first = false;
  std::string url;
  {
    MutexLock lock(mu_);
    ++status_.failures[static_cast<size_t>(failure.kind)];
    first = status_.error.empty();
    status_.error = absl::StrCat(ToAbsl(PodWatchFailureName(failure.kind)), ": ", failure.words);
    url = status_.url;
  }
  uint64_t suppressed = 0;
  if (!first || !log_limit_.Admit(with_.clock->Monotonic(), &suppressed)) return;
  logged_ = true;
  Log(rule.routine ? LogLevel::kInfo : LogLevel::kWarn,
      "pods cannot be listed or watched; the last known ones stay",
      {{"url", url},
       {"reason", PodWatchFailureName(failure.kind)},
       {"error", failure.words},
       {"suppressed", suppressed}});
}

absl::Duration PodWatch::DelayAfter(const Failure& failure) {
  absl::Duration delay;
  switch (RuleOf(failure.kind).pace) {
    case RetryPace::kBackoff:
      delay = backoff_.Next(with_.random());
      break;
    case RetryPace::kSlow:
      delay = slow_.Next(with_.random());
      break;
    case RetryPace::kSpread:
      delay = std::max(backoff_.Next(with_.random()), with_.timings.spread * with_.random());
      break;
  }
  // Jitter on top, since many clients are told the same.
  const absl::Duration told = std::min(failure.retry_after, kMaxRetryAfter);
  return std::max(delay, told * (1 + with_.timings.backoff.jitter * with_.random()));
}

PodWatchStatus PodWatch::status() const {
  MutexLock lock(mu_);
  PodWatchStatus status = status_;
  status.pods = resource() == ApiResource::kPods ? pods_.size() : 0;
  return status;
}

bool PodWatch::synced() const {
  MutexLock lock(mu_);
  return status_.synced;
}

std::optional<Labels> PodWatch::FindLabels(const std::string& key) const {
  MutexLock lock(mu_);
  const Labels* labels = pods_.FindLabels(key);
  if (labels == nullptr) return std::nullopt;
  return *labels;
}

void PodWatch::AppendGroups(std::vector<TargetGroup>* groups) const {
  MutexLock lock(mu_);
  pods_.AppendGroups(groups);
}

}  // namespace ampari
