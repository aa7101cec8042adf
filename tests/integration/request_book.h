// RequestBook: what a receiver for tests of delivery does with requests besides judging them: it
// remembers them, answers late or by a script, and sees whether two hold the same at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/http/server.h"
#include "common/runtime/mutex.h"

namespace ampari {

// A server on a free port, a thread for each connection.
std::unique_ptr<HttpServer> StartReceiver(std::function<ServerResponse(const ServerRequest&)> take);
// The distance to the region, which is what a test is about.
void Travel(absl::Duration delay);

// Thread-safe.
template <typename Request>
class RequestBook {
 public:
  // An answer other than the receiver's own; nullopt: judge and store. Called with the number of
  // the request, from 0. When `store` is set to true, the request is judged and stored all the
  // same, and only the answer differs.
  using Script = std::function<std::optional<ServerResponse>(const Request& request, size_t number,
                                                             bool* store)>;
  // Stores what is good; false when anything was refused.
  using Judge = std::function<bool(const Request& request)>;

  // `refusal`: what is answered with 400.
  explicit RequestBook(std::string refusal) : refusal_(std::move(refusal)) {}

  void SetScript(Script script) {
    MutexLock lock(mu_);
    script_ = std::move(script);
  }
  void SetDelay(absl::Duration delay) {
    MutexLock lock(mu_);
    delay_ = delay;
  }

  // 204, 400 when anything was refused, or the script's answer. `keys`: what no other request in
  // flight may hold. `complaint`: what is wrong with the request, or empty.
  ServerResponse Answer(const Request& request, const std::vector<std::string>& keys,
                        std::string complaint, const Judge& judge) {
    size_t number = 0;
    absl::Duration delay;
    Script script;
    {
      MutexLock lock(mu_);
      for (const std::string& key : keys) {
        if (!in_flight_.insert(key).second) complaint = "in two requests at once: " + key;
      }
      if (!complaint.empty()) complaints_.push_back(complaint);
      number = requests_.size();
      requests_.push_back(request);
      delay = delay_;
      script = script_;
      changed_.NotifyAll();
    }
    Travel(delay);
    bool store = false;
    std::optional<ServerResponse> scripted =
        script ? script(request, number, &store) : std::nullopt;
    ServerResponse response;
    response.status = 204;
    if ((!scripted || store) && !judge(request)) {
      response.status = 400;
      response.body = refusal_;
    }
    MutexLock lock(mu_);
    for (const std::string& key : keys) in_flight_.erase(key);
    return scripted ? *scripted : response;
  }

  std::vector<Request> requests() const {
    MutexLock lock(mu_);
    return requests_;
  }
  std::vector<std::string> complaints() const {
    MutexLock lock(mu_);
    return complaints_;
  }
  // False when they did not come in time.
  bool WaitForRequests(size_t count) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    MutexLock lock(mu_);
    while (requests_.size() < count) {
      if (absl::Now() > deadline) return false;
      changed_.WaitFor(mu_, absl::Milliseconds(100));
    }
    return true;
  }

 private:
  const std::string refusal_;
  mutable Mutex mu_;
  CondVar changed_;
  Script script_ ABSL_GUARDED_BY(mu_);
  absl::Duration delay_ ABSL_GUARDED_BY(mu_);
  std::vector<Request> requests_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> in_flight_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> complaints_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari
