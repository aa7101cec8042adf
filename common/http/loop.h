// HttpLoop: many HTTP requests on one thread (libcurl multi, keep-alive, HTTP/1.1).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/config/http_client_options.h"

namespace ampari {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>>
      headers;                                 // besides those of `options`; these win
  std::shared_ptr<const std::string> body;     // null: none
  absl::Duration timeout = absl::Seconds(30);  // connection, request and whole answer
  absl::Duration connect_timeout = absl::Seconds(10);
  size_t max_response_bytes =
      size_t{64} << 10;  // decoded; more fails with ResourceExhausted (on_data decides when set)
  bool accept_gzip = false;  // sends Accept-Encoding: gzip and inflates exactly that
  std::shared_ptr<const HttpClientOptions> options;  // null: none
};

struct HttpResponse {
  // Not OK: no answer. Unavailable (connection, DNS, reset), DeadlineExceeded, PermissionDenied
  // (TLS refused the peer, or a secret file cannot be read), ResourceExhausted (too large),
  // InvalidArgument (the URL), Cancelled.
  absl::Status transport;
  int status = 0;
  std::string body;                                          // empty when on_data took it
  std::vector<std::pair<std::string, std::string>> headers;  // lower-case names
  absl::Duration elapsed;
  std::string_view Header(std::string_view lower_case_name) const;  // empty when absent
};

enum class BodyFlow : uint8_t { kContinue, kPause, kAbort };

// Owned and run by one thread; only Wakeup() may be called from others. Callbacks run inside Poll()
// on that thread and may call Start() and Cancel().
class HttpLoop {
 public:
  using RequestId = uint64_t;
  // `on_head` is called once with status and headers before the body; `on_data` for each piece of a
  // decoded body.
  struct Callbacks {
    std::function<void(const HttpResponse& head)> on_head;    // may be null
    std::function<BodyFlow(std::string_view piece)> on_data;  // null: the body is collected
    std::function<void(HttpResponse response)> on_done;       // exactly once
  };

  explicit HttpLoop(size_t max_connections = 0);
  ~HttpLoop();  // cancels what is in flight without calling back
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  RequestId Start(HttpRequest request, Callbacks callbacks);
  // The request ends with Cancelled in a later Poll().
  void Cancel(RequestId id);
  // Continues a body that on_data paused; the paused piece is delivered again.
  void Resume(RequestId id);
  // Runs I/O and callbacks; returns after `timeout`, after a Wakeup(), or when something happened.
  void Poll(absl::Duration timeout);
  void Wakeup();
  size_t in_flight() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

// One blocking request, for commands and tests.
HttpResponse FetchOnce(HttpRequest request);

}  // namespace ampari
