#include "common/http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "common/http/loop.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using ::testing::HasSubstr;

ServerResponse Ok(const ServerRequest&) { return {}; }

ServerOptions At(const std::string& address) {
  ServerOptions options;
  options.listen_address = address;
  return options;
}

HttpResponse Post(uint16_t port, std::string body, bool chunked = false) {
  HttpRequest request;
  request.method = "POST";
  request.url = "http://127.0.0.1:" + std::to_string(port) + "/";
  request.body = std::make_shared<const std::string>(std::move(body));
  if (chunked) request.headers = {{"Transfer-Encoding", "chunked"}};
  return FetchOnce(std::move(request));
}

TEST(HttpServer, RefusesBodiesAboveTheLimit) {
  ServerOptions options;
  options.max_body_bytes = 1000;
  std::atomic<size_t> seen = 0;
  const auto server = HttpServer::Start(options, [&](const ServerRequest& request) {
    seen = request.body.size();
    return ServerResponse{};
  });
  ASSERT_THAT(server, IsOk());
  EXPECT_EQ(Post((*server)->port(), std::string(1000, 'x')).status, 200);
  EXPECT_EQ(seen, 1000u);
  EXPECT_EQ(Post((*server)->port(), std::string(1001, 'x')).status, 413);
  EXPECT_EQ(Post((*server)->port(), std::string(1000, 'x'), true).status, 200);
  EXPECT_EQ(Post((*server)->port(), std::string(100'000, 'x'), true).status, 413);
  EXPECT_EQ(seen, 1000u);
}

TEST(HttpServer, TellsWhoAsksAndWhere) {
  std::string peer, local;
  bool loopback = false;
  const auto server = HttpServer::Start({}, [&](const ServerRequest& request) {
    peer = request.peer;
    local = request.local;
    loopback = request.peer_is_loopback;
    return ServerResponse{};
  });
  ASSERT_THAT(server, IsOk());
  EXPECT_EQ(Post((*server)->port(), "").status, 200);
  EXPECT_EQ(peer, "127.0.0.1");
  EXPECT_EQ(local, "127.0.0.1");
  EXPECT_TRUE(loopback);
}

TEST(HttpServer, ServesIpv6WhereThereIsAny) {
  const auto server = HttpServer::Start(At("[::1]:0"), Ok);
  if (!server.ok()) GTEST_SKIP() << "no IPv6 here: " << server.status();
  HttpRequest request;
  request.url = "http://[::1]:" + std::to_string((*server)->port()) + "/";
  EXPECT_EQ(FetchOnce(std::move(request)).status, 200);
}

TEST(HttpServer, NamesTheAddressThatItCannotBind) {
  const auto first = HttpServer::Start({}, Ok);
  ASSERT_THAT(first, IsOk());
  const std::string taken = "127.0.0.1:" + std::to_string((*first)->port());
  EXPECT_THAT(HttpServer::Start(At(taken), Ok),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(taken)));
  for (const char* address : {"127.0.0.1", "", "::1:80", "[::1:80", "host:"}) {
    EXPECT_THAT(HttpServer::Start(At(address), Ok), StatusIs(absl::StatusCode::kInvalidArgument))
        << address;
  }
}

TEST(HttpServer, HandlersMayBlockWithAThreadEach) {
  std::atomic<int> inside = 0;
  ServerOptions options;
  options.thread_per_connection = true;
  const auto server = HttpServer::Start(options, [&](const ServerRequest&) {
    ++inside;
    while (inside < 10) std::this_thread::yield();  // ends only when all ten are here at once
    return ServerResponse{};
  });
  ASSERT_THAT(server, IsOk());
  HttpLoop loop;
  int done = 0;
  for (int i = 0; i < 10; ++i) {
    HttpRequest request;
    request.url = "http://127.0.0.1:" + std::to_string((*server)->port()) + "/";
    loop.Start(std::move(request),
               {nullptr, nullptr, [&](HttpResponse r) { done += r.status == 200 ? 1 : 0; }});
  }
  while (loop.in_flight() > 0) loop.Poll(absl::Seconds(1));
  EXPECT_EQ(done, 10);
}

// Eight keep-alive connections, more than the server has threads, so each thread has some of them.
TEST(HttpServer, ADeferredAnswerHoldsNobodyUp) {
  std::atomic<bool> release = false;
  std::atomic<int> made = 0;
  const auto server = HttpServer::Start({}, [&](const ServerRequest& request) {
    ServerResponse response;
    if (request.path != "/slow") return response;
    response.deferred = [&] {
      ++made;
      while (!release) std::this_thread::yield();
      ServerResponse late;
      late.body = "late";
      return late;
    };
    return response;
  });
  ASSERT_THAT(server, IsOk());
  HttpLoop loop;
  std::vector<HttpResponse> slow;
  int quick = 0;
  const auto ask = [&](const char* path, std::function<void(HttpResponse)> done) {
    HttpRequest request;
    request.url = "http://127.0.0.1:" + std::to_string((*server)->port()) + path;
    loop.Start(std::move(request), {nullptr, nullptr, std::move(done)});
  };
  for (int i = 0; i < 8; ++i) ask("/", [&](HttpResponse r) { quick += r.status == 200 ? 1 : 0; });
  while (quick < 8) loop.Poll(absl::Seconds(1));
  ask("/slow", [&](HttpResponse r) { slow.push_back(std::move(r)); });
  while (made == 0) loop.Poll(absl::Milliseconds(1));
  for (int i = 0; i < 8; ++i) ask("/", [&](HttpResponse r) { quick += r.status == 200 ? 1 : 0; });
  while (quick < 16) loop.Poll(absl::Seconds(1));
  EXPECT_TRUE(slow.empty());
  ask("/slow", [&](HttpResponse r) { slow.push_back(std::move(r)); });
  while (slow.empty()) loop.Poll(absl::Seconds(1));
  EXPECT_EQ(slow[0].status, 503) << "one at a time";
  release = true;
  while (slow.size() < 2) loop.Poll(absl::Seconds(1));
  EXPECT_EQ(slow[1].status, 200);
  EXPECT_EQ(slow[1].body, "late");
  ask("/slow", [&](HttpResponse r) { slow.push_back(std::move(r)); });
  while (slow.size() < 3) loop.Poll(absl::Seconds(1));
  EXPECT_EQ(slow[2].status, 200) << "the next one";
  EXPECT_EQ(made, 2);
}

TEST(HttpServer, StopsOnlyAfterADeferredAnswer) {
  std::atomic<bool> inside = false, release = false;
  auto server = HttpServer::Start({}, [&](const ServerRequest&) {
    ServerResponse response;
    response.deferred = [&] {
      inside = true;
      while (!release) std::this_thread::yield();
      return ServerResponse{};
    };
    return response;
  });
  ASSERT_THAT(server, IsOk());
  const uint16_t port = (*server)->port();
  std::thread asker([port] { Post(port, ""); });
  while (!inside) std::this_thread::yield();
  std::thread releaser([&] { release = true; });
  server->reset();
  EXPECT_TRUE(release);
  releaser.join();
  asker.join();
}

TEST(ServerRequest, FindsQueryValues) {
  ServerRequest request;
  request.query = "a=1&b=&c&a=2&match[]={x=\"y\"}";
  EXPECT_EQ(request.Query("a"), "1");
  EXPECT_EQ(request.Query("b"), "");
  EXPECT_EQ(request.Query("c"), "");
  EXPECT_EQ(request.Query("match[]"), "{x=\"y\"}");
  EXPECT_EQ(request.Query("absent"), "");
}

}  // namespace
}  // namespace ampari
