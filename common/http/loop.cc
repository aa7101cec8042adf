#include "common/http/loop.h"

#include <curl/curl.h>

#include <algorithm>
#include <map>
#include <vector>

#include "common/http/file_cache.h"
#include "common/http/transfer.h"
#include "common/runtime/check.h"

namespace ampari {
namespace {

constexpr long kMaxIdleConnections = 4096;  // kept alive between requests when max_connections is 0

void InitOnce() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  Check(done == CURLE_OK, "libcurl cannot start");
}

}  // namespace

std::string_view HttpResponse::Header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

// The wiring of one multi handle: what waits to start, what runs, what is to end.
class HttpLoop::Core {
 public:
  explicit Core(size_t max_connections) {
    InitOnce();
    multi_ = curl_multi_init();
    Check(multi_ != nullptr, "libcurl has no memory");
    const auto limit = static_cast<long>(max_connections);
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, limit);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, limit > 0 ? limit : kMaxIdleConnections);
  }

  ~Core() {
    for (auto& [id, transfer] : running_) Remove(*transfer);
    running_.clear();
    waiting_.clear();
    curl_multi_cleanup(multi_);
  }

  RequestId Start(HttpRequest request, Callbacks callbacks) {
    const RequestId id = next_id_++;
    waiting_.push_back(std::make_unique<Transfer>(id, std::move(request), std::move(callbacks)));
    return id;
  }

  void Cancel(RequestId id) {
    const auto running = running_.find(id);
    if (running != running_.end()) running->second->Silence();
    cancelled_.push_back(id);
  }

  void Resume(RequestId id) { resumed_.push_back(id); }

  void Poll(absl::Duration timeout) {
    if (Step()) return;
    const int64_t wait_ms = std::clamp<int64_t>(
        absl::ToInt64Milliseconds(absl::Ceil(timeout, absl::Milliseconds(1))), 0, 3'600'000);
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait_ms), nullptr);
    Step();
  }

  void Wakeup() { curl_multi_wakeup(multi_); }
  size_t in_flight() const { return waiting_.size() + running_.size(); }

 private:
  // One round without waiting; true when a request ended.
  bool Step() {
    bool ended = EndCancelled();
    ended = StartWaiting() || ended;
    ResumePaused();
    int running = 0;
    curl_multi_perform(multi_, &running);
    return CollectEnded() || ended;
  }

  bool EndCancelled() {
    std::vector<RequestId> ids;
    ids.swap(cancelled_);
    bool ended = false;
    for (const RequestId id : ids)
      ended = End(id, CURLE_OK, absl::CancelledError("cancelled")) || ended;
    return ended;
  }

  // Takes the request out of the loop, then calls back, which may start others.
  bool End(RequestId id, int code, const absl::Status& status) {
    std::unique_ptr<Transfer> transfer;
    if (const auto running = running_.find(id); running != running_.end()) {
      transfer = std::move(running->second);
      running_.erase(running);
      Remove(*transfer);
    } else {
      const auto waiting = std::find_if(waiting_.begin(), waiting_.end(),
                                        [id](const auto& one) { return one->id() == id; });
      if (waiting == waiting_.end()) return false;
      transfer = std::move(*waiting);
      waiting_.erase(waiting);
    }
    transfer->Finish(code, status);
    return true;
  }

  bool StartWaiting() {
    std::vector<std::unique_ptr<Transfer>> batch;
    batch.swap(waiting_);
    std::vector<std::pair<RequestId, absl::Status>> failed;
    for (std::unique_ptr<Transfer>& transfer : batch) {
      const RequestId id = transfer->id();
      Transfer& added = *transfer;
      running_[id] = std::move(transfer);
      if (absl::Status prepared = Launch(added); !prepared.ok()) failed.emplace_back(id, prepared);
    }
    for (const auto& [id, status] : failed) End(id, CURLE_OK, status);
    return !failed.empty();
  }

  absl::Status Launch(Transfer& transfer) {
    if (absl::Status prepared = transfer.Prepare(files_); !prepared.ok()) return prepared;
    if (curl_multi_add_handle(multi_, transfer.easy()) != CURLM_OK) {
      return absl::UnavailableError("libcurl refuses the request");
    }
    transfer.added = true;
    return absl::OkStatus();
  }

  void Remove(Transfer& transfer) {
    if (transfer.added) curl_multi_remove_handle(multi_, transfer.easy());
    transfer.added = false;
  }

  void ResumePaused() {
    std::vector<RequestId> ids;
    ids.swap(resumed_);
    for (const RequestId id : ids) {
      const auto running = running_.find(id);
      if (running != running_.end() && running->second->added) {
        curl_easy_pause(running->second->easy(), CURLPAUSE_CONT);
      }
    }
  }

  bool CollectEnded() {
    std::vector<std::pair<RequestId, int>> done;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      char* self = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
      done.emplace_back(reinterpret_cast<Transfer*>(self)->id(), message->data.result);
    }
    for (const auto& [id, code] : done) {
      const auto running = running_.find(id);
      if (running == running_.end()) continue;
      if (!running->second->TakeRedirect(code)) {
        End(id, code, absl::OkStatus());
        continue;
      }
      Remove(*running->second);
      if (absl::Status next = Launch(*running->second); !next.ok()) End(id, CURLE_OK, next);
    }
    return !done.empty();
  }

  CURLM* multi_ = nullptr;
  FileCache files_;
  RequestId next_id_ = 1;
  std::vector<std::unique_ptr<Transfer>> waiting_;
  std::map<RequestId, std::unique_ptr<Transfer>> running_;
  std::vector<RequestId> cancelled_, resumed_;
};

HttpLoop::HttpLoop(size_t max_connections) : core_(std::make_unique<Core>(max_connections)) {}
HttpLoop::~HttpLoop() = default;

HttpLoop::RequestId HttpLoop::Start(HttpRequest request, Callbacks callbacks) {
  return core_->Start(std::move(request), std::move(callbacks));
}
void HttpLoop::Cancel(RequestId id) { core_->Cancel(id); }
void HttpLoop::Resume(RequestId id) { core_->Resume(id); }
void HttpLoop::Poll(absl::Duration timeout) { core_->Poll(timeout); }
void HttpLoop::Wakeup() { core_->Wakeup(); }
size_t HttpLoop::in_flight() const { return core_->in_flight(); }

HttpResponse FetchOnce(HttpRequest request) {
  HttpLoop loop;
  HttpResponse result;
  bool done = false;
  loop.Start(std::move(request), {nullptr, nullptr, [&](HttpResponse response) {
                                    result = std::move(response);
                                    done = true;
                                  }});
  while (!done) loop.Poll(absl::Seconds(1));
  return result;
}

}  // namespace ampari
