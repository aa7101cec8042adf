// A PodWatch against a ScriptedServer, on a clock that moves only when told.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/http/loop.h"
#include "forwarder/discovery/kubernetes/pod_watch.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scripted_server.h"

namespace ampari {

using End = ScriptedAnswer::End;

class PodWatchBed {
 public:
  explicit PodWatchBed(PodWatchTimings timings = {}, bool own_namespace = false)
      : server_(std::make_unique<ScriptedServer>()), url_(server_->url()) {
    PodWatchSurroundings with;
    with.loop = &loop_;
    with.clock = &clock_;
    with.random = [this] { return random; };
    with.changed = [this] { ++changes; };
    with.timings = timings;
    PodWatch::Collection collection;
    collection.access = [this]() -> absl::StatusOr<ApiAccess> {
      ++accesses;
      if (!access_error.ok()) return access_error;
      return ApiAccess{url_, own_name, http};
    };
    collection.query.field_selector = "spec.nodeName=node-1";
    collection.own_namespace = own_namespace;
    watch_ = std::make_unique<PodWatch>(std::move(collection), std::move(with));
  }

  ScriptedServer& server() { return *server_; }
  void StopServer() { server_.reset(); }
  PodWatch& watch() { return *watch_; }
  FakeClock& clock() { return clock_; }

  void Answer(int status, std::string body, End end = End::kComplete,
              std::vector<std::pair<std::string, std::string>> headers = {}) {
    server_->Answer({status, std::move(body), end, std::move(headers)});
  }

  // Runs what is due, without moving the clock, until `condition`.
  template <typename Condition>
  void Until(const char* what, Condition condition) {
    for (int i = 0; i < 3000 && !condition(); ++i) {
      watch_->Tick();
      if (!condition()) loop_.Poll(absl::Milliseconds(10));
    }
    EXPECT_TRUE(condition()) << what << "; error: " << watch_->status().error;
  }

  uint64_t failures(PodWatchFailure failure) const {
    return watch_->status().failures[static_cast<size_t>(failure)];
  }
  void UntilFailure(PodWatchFailure failure, uint64_t count = 1) {
    Until(PodWatchFailureName(failure).data(),
          [&] { return failures(failure) >= count && !watch_->busy(); });
  }
  void UntilRequests(size_t count) {
    Until("requests", [&] { return server_->requests().size() >= count; });
    EXPECT_EQ(server_->requests().size(), count);
  }
  void UntilEvents(uint64_t count) {
    Until("events", [&] { return watch_->status().events >= count; });
  }

  // The clock goes to when the next request is due; how long that was.
  absl::Duration Skip() {
    const absl::Duration delay = watch_->due() - clock_.Monotonic();
    if (delay > absl::ZeroDuration() && delay < absl::InfiniteDuration()) clock_.Advance(delay);
    return delay;
  }

  // From the start to a running watch over `pods` with list version 10.
  void Begin(const std::string& list) {
    Answer(200, list);
    Answer(200, "", End::kStay);
    Until("watching", [&] { return watch_->synced() && server_->requests().size() == 2; });
    Until("the watch's head", [&] { return watch_->status().error.empty(); });
  }

  // Request line of the n-th request: method, path and query.
  std::string Line(size_t n) const {
    const std::vector<std::string> all = server_->requests();
    return n < all.size() ? all[n].substr(0, all[n].find(" HTTP/1.1")) : "no such request";
  }

  std::vector<std::string> Addresses() const {
    std::vector<TargetGroup> groups;
    watch_->AppendGroups(&groups);
    std::vector<std::string> all;
    for (const TargetGroup& group : groups) {
      all.insert(all.end(), group.targets.begin(), group.targets.end());
    }
    return all;
  }

  double random = 0.5;
  int changes = 0, accesses = 0;
  absl::Status access_error;
  std::string own_name;
  std::shared_ptr<HttpClientOptions> http = std::make_shared<HttpClientOptions>();

 private:
  std::unique_ptr<ScriptedServer> server_;
  const std::string url_;
  FakeClock clock_;
  std::unique_ptr<PodWatch> watch_;
  HttpLoop loop_;  // goes first
};

}  // namespace ampari
