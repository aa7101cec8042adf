// HttpServer: a small bounded HTTP/1.1 server (libmicrohttpd) for status pages, commands and
// simulated peers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ampari {

struct ServerRequest {
  std::string method;
  std::string path;   // without query
  std::string query;  // decoded as the library gives it: name=value joined by &
  std::string body;
  std::string peer;   // address without port
  std::string local;  // the address that the peer connected to, without port
  bool peer_is_loopback = false;
  std::vector<std::pair<std::string, std::string>> headers;  // lower-case names
  std::string_view Header(std::string_view lower_case_name) const;
  std::string_view Query(std::string_view name) const;
};

struct ServerResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::function<std::string()>
      stream;  // set: called for pieces of the body until one is empty; `body` is unused
  // Set: takes long, and makes the answer on a thread of the server's own while others are
  // answered; all else is unused. One at a time: meanwhile another is told 503 and Retry-After.
  std::function<ServerResponse()> deferred;
  bool close_without_answer =
      false;  // simulated peers: the connection is closed instead of an answer
  size_t told_length =
      0;  // simulated peers: a Content-Length above body.size() cuts the body short
};

struct ServerOptions {
  std::string listen_address = "127.0.0.1:0";  // host:port, [v6]:port
  size_t max_connections = 64;
  size_t max_body_bytes = size_t{1} << 20;  // 413 above
  absl::Duration idle_timeout = absl::Seconds(30);
  bool thread_per_connection = false;       // handlers may block (simulated peers)
  std::string cert_pem = {}, key_pem = {};  // both set: TLS
};

// `handler` is called from the server's threads, several at once. The server stops when destroyed;
// it waits for what is being answered.
class HttpServer {
 public:
  using Handler = std::function<ServerResponse(const ServerRequest&)>;
  // Unavailable when the address cannot be bound; the message names it.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(ServerOptions options, Handler handler);
  ~HttpServer();
  uint16_t port() const;

 private:
  class Core;
  explicit HttpServer(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace ampari
