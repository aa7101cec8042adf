#include "tests/integration/request_book.h"

#include <thread>

#include "common/runtime/check.h"

namespace ampari {

std::unique_ptr<HttpServer> StartReceiver(
    std::function<ServerResponse(const ServerRequest&)> take) {
  ServerOptions options;
  options.thread_per_connection = true;
  options.max_connections = 256;
  options.max_body_bytes = size_t{64} << 20;
  auto server = HttpServer::Start(options, std::move(take));
  Check(server.ok(), "the region cannot listen");
  return *std::move(server);
}

void Travel(absl::Duration delay) {
  if (delay <= absl::ZeroDuration()) return;
  std::this_thread::sleep_for(absl::ToChronoNanoseconds(delay));  // the way there is what is tested
}

}  // namespace ampari
