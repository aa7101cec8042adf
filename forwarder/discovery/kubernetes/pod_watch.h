// PodWatch: keeps one collection of pods known: lists it in pages, watches it from there, and after
// whatever goes wrong goes on from the last known state. Source of the protocol: Kubernetes API
// reference, "Kubernetes API concepts", and client-go's reflector.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/http/loop.h"
#include "common/runtime/backoff.h"
#include "common/runtime/clock.h"
#include "common/runtime/logging.h"
#include "common/runtime/mutex.h"
#include "forwarder/discovery/kubernetes/api_access.h"
#include "forwarder/discovery/kubernetes/failure_rules.h"
#include "forwarder/discovery/kubernetes/pod_list.h"
#include "forwarder/discovery/kubernetes/pod_query.h"
#include "forwarder/discovery/kubernetes/pod_watch_status.h"
#include "forwarder/discovery/kubernetes/watch_lines.h"

namespace ampari {

inline constexpr size_t kMaxPodPageBytes = size_t{32} << 20;  // of a list's page, inflated
inline constexpr uint32_t kMaxPodPages = 10'000;              // of one list

struct PodWatchTimings {
  BackoffOptions backoff{absl::Seconds(1), absl::Seconds(60), 0.5};
  BackoffOptions slow{absl::Seconds(5), absl::Seconds(60), 0.5};
  absl::Duration spread = absl::Seconds(10);  // of new lists after a 410
  absl::Duration list_timeout = absl::Seconds(60);
  absl::Duration watch_min = absl::Minutes(5), watch_max = absl::Minutes(10);
  absl::Duration watch_grace =
      absl::Seconds(30);                      // a watch that its server does not end is dropped
  absl::Duration proven = absl::Seconds(10);  // a watch that lived as long was a success
};

// What a watch needs of its surroundings; all of it must outlive the watch.
struct PodWatchSurroundings {
  HttpLoop* loop = nullptr;
  const Clock* clock = nullptr;
  std::function<double()> random;  // uniform in [0, 1)
  std::function<void()> changed;   // after a group changed and after the first complete list
  PodWatchTimings timings;
};

// Everything happens on the loop's thread, except for what is marked as thread-safe. A watch must
// not be destroyed before its request has ended (busy()), unless its loop is gone.
class PodWatch {
 public:
  struct Collection {
    std::function<absl::StatusOr<ApiAccess>()> access;  // read at the start and after failures
    PodQuery query;
    bool own_namespace = false;  // takes the place of the query's namespace
  };

  PodWatch(Collection collection, PodWatchSurroundings surroundings);
  PodWatch(const PodWatch&) = delete;
  PodWatch& operator=(const PodWatch&) = delete;

  // Starts the next request if it is due.
  void Tick();
  // On the monotonic clock; infinite while a request is running.
  absl::Duration due() const { return busy() ? absl::InfiniteDuration() : due_; }
  bool busy() const { return request_.has_value(); }
  // Ends what is running; nothing is started any more.
  void Stop();

  // Thread-safe.
  PodWatchStatus status() const ABSL_LOCKS_EXCLUDED(mu_);
  bool synced() const ABSL_LOCKS_EXCLUDED(mu_);
  void AppendGroups(std::vector<TargetGroup>* groups) const ABSL_LOCKS_EXCLUDED(mu_);
  // Of an object that is watched for its labels.
  std::optional<Labels> FindLabels(const std::string& key) const ABSL_LOCKS_EXCLUDED(mu_);
  ApiResource resource() const { return collection_.query.resource; }

 private:
  enum class Phase : uint8_t { kList, kWatch };
  struct Failure {
    PodWatchFailure kind;
    std::string words;
    absl::Duration retry_after;
  };

  bool FindAccess();
  HttpRequest NewRequest(std::string url, absl::Duration timeout) const;

  void StartPage();
  void OnPage(const HttpResponse& response);
  std::optional<Failure> AddPage(const HttpResponse& response) ABSL_LOCKS_EXCLUDED(mu_);
  bool IsDoubtful() const ABSL_LOCKS_EXCLUDED(mu_);
  void FinishList() ABSL_LOCKS_EXCLUDED(mu_);

  void StartWatch();
  BodyFlow OnPiece(std::string_view piece);
  absl::Status OnLine(std::string_view line, bool* changed);
  std::optional<Failure> Take(WatchEvent event, bool* changed) ABSL_LOCKS_EXCLUDED(mu_);
  void OnWatchEnd(const HttpResponse& response);

  void Succeed() ABSL_LOCKS_EXCLUDED(mu_);
  void Fail(Failure failure) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Duration DelayAfter(const Failure& failure);
  void NoteRefusedPod(const std::string& refused);

  const Collection collection_;
  const PodWatchSurroundings with_;
  std::optional<ApiAccess> access_;
  PodQuery query_;

  Phase phase_ = Phase::kList;
  bool stopped_ = false;
  absl::Duration due_;
  std::optional<HttpLoop::RequestId> request_;
  Backoff backoff_, slow_;
  std::string resource_version_;  // the watch goes on from here; empty: nothing known

  // Of the list under way.
  bool newest_ = false;         // it must not come from the server's cache
  std::string continue_token_;  // empty: the first page
  std::string list_version_;    // of its first page
  uint32_t pages_ = 0;
  int page_limit_ = kPodsPerPage;  // less after a page that was too large

  // Of the watch under way.
  absl::Duration watch_started_;
  int watch_status_ = 0;
  uint64_t watch_events_ = 0;
  WatchLines lines_;
  std::string refusal_;  // the body of an answer other than 200
  std::optional<Failure> in_band_;

  LogLimit log_limit_{absl::Minutes(1)}, refused_log_limit_{absl::Minutes(10)};
  bool logged_ = false;  // the failure that lasts

  mutable Mutex mu_;
  PodList pods_ ABSL_GUARDED_BY(mu_);
  PodWatchStatus status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari
