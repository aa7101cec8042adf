#include "common/http/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <atomic>
#include <thread>

#include "common/http/listen_socket.h"
#include "common/http/server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ampari {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<HttpServer> Serve(HttpServer::Handler handler, ServerOptions options = {}) {
  absl::StatusOr<std::unique_ptr<HttpServer>> server =
      HttpServer::Start(std::move(options), std::move(handler));
  EXPECT_THAT(server, IsOk());
  return *std::move(server);
}

std::string UrlOf(const HttpServer& server, const std::string& path) {
  return "http://127.0.0.1:" + std::to_string(server.port()) + path;
}

ServerResponse Echo(const ServerRequest& request) {
  ServerResponse answer;
  answer.body = request.method + " " + request.path + "?" + request.query + "\n";
  for (const auto& [name, value] : request.headers) answer.body += name + ": " + value + "\n";
  answer.body += "\n" + request.body;
  return answer;
}

HttpRequest Get(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  request.timeout = absl::Seconds(20);
  return request;
}

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(FetchOnce, SendsMethodHeadersBodyAndUserAgent) {
  const auto server = Serve(Echo);
  HttpRequest request = Get(UrlOf(*server, "/a/b?x=1&y=two%20words"));
  request.method = "POST";
  request.headers = {{"X-One", "1"}, {"Content-Type", "application/x-protobuf"}, {"X-Empty", ""}};
  request.body = std::make_shared<const std::string>("payload");
  const HttpResponse response = FetchOnce(std::move(request));
  EXPECT_THAT(response.transport, IsOk());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("content-type"), "text/plain; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("POST /a/b?x=1&y=two words\n"));
  EXPECT_THAT(response.body, HasSubstr("x-one: 1\n"));
  EXPECT_THAT(response.body, HasSubstr("x-empty: \n"));
  EXPECT_THAT(response.body, HasSubstr("content-type: application/x-protobuf\n"));
  EXPECT_THAT(response.body, HasSubstr("content-length: 7\n"));
  EXPECT_THAT(response.body, HasSubstr("user-agent: ampari/" AMPARI_VERSION "\n"));
  EXPECT_THAT(response.body, ::testing::Not(HasSubstr("expect:")));
  EXPECT_THAT(response.body, ::testing::Not(HasSubstr("accept-encoding:")));
  EXPECT_THAT(response.body, ::testing::EndsWith("\n\npayload"));
}

TEST(FetchOnce, OtherMethodsAndEmptyPost) {
  const auto server = Serve(Echo);
  for (const char* method : {"GET", "PUT", "DELETE", "POST"}) {
    HttpRequest request = Get(UrlOf(*server, "/m"));
    request.method = method;
    EXPECT_THAT(FetchOnce(std::move(request)).body,
                ::testing::StartsWith(std::string(method) + " /m"))
        << method;
  }
}

struct AuthCase {
  const char* name;
  HttpClientOptions options;
  const char* want;
};

TEST(FetchOnce, CredentialsAndOptionHeaders) {
  const TempDir dir;
  const std::string token = dir.Write("token", "  s3cret\n");
  HttpClientOptions basic;
  basic.has_basic_auth = true;
  basic.username = {"user", ""};
  basic.password = {"", token};
  HttpClientOptions bearer;
  bearer.authorization_type = "Bearer";
  bearer.credentials = {"", token};
  HttpClientOptions headers;
  headers.headers = {{"X-Scope-OrgID", {"tenant"}, {}}, {"X-Key", {}, {{"", token}}}};
  const AuthCase cases[] = {
      {"basic", basic, "authorization: Basic dXNlcjpzM2NyZXQ=\n"},
      {"bearer", bearer, "authorization: Bearer s3cret\n"},
      {"tenant", headers, "x-scope-orgid: tenant\n"},
      {"secret header", headers, "x-key: s3cret\n"},
  };
  const auto server = Serve(Echo);
  for (const AuthCase& c : cases) {
    HttpRequest request = Get(UrlOf(*server, "/"));
    request.options = std::make_shared<const HttpClientOptions>(c.options);
    EXPECT_THAT(FetchOnce(std::move(request)).body, HasSubstr(c.want)) << c.name;
  }
}

TEST(FetchOnce, ASecretFileIsReadAgainWhenItChanges) {
  const TempDir dir;
  auto options = std::make_shared<HttpClientOptions>();
  options->authorization_type = "Bearer";
  options->credentials = {"", dir.Write("token", "old")};
  const auto server = Serve(Echo);
  HttpLoop loop;
  const auto fetch = [&] {
    std::string body;
    HttpRequest request = Get(UrlOf(*server, "/"));
    request.options = options;
    loop.Start(std::move(request), {nullptr, nullptr, [&](HttpResponse r) { body = r.body; }});
    while (body.empty()) loop.Poll(absl::Seconds(1));
    return body;
  };
  EXPECT_THAT(fetch(), HasSubstr("Bearer old\n"));
  dir.Write("token", "newer");
  EXPECT_THAT(fetch(), HasSubstr("Bearer newer\n"));
}

TEST(FetchOnce, TheRequestsOwnHeadersWin) {
  const auto server = Serve(Echo);
  auto options = std::make_shared<HttpClientOptions>();
  options->headers = {{"x-scope-orgid", {"from-options"}, {}}};
  HttpRequest request = Get(UrlOf(*server, "/"));
  request.headers = {{"X-Scope-OrgID", "from-request"}};
  request.options = options;
  const std::string body = FetchOnce(std::move(request)).body;
  EXPECT_THAT(body, HasSubstr("from-request"));
  EXPECT_THAT(body, ::testing::Not(HasSubstr("from-options")));
}

TEST(FetchOnce, WhatCannotBeSentSaysWhyWithoutTheSecret) {
  const TempDir dir;
  HttpRequest missing_file = Get("http://127.0.0.1:1/");
  auto options = std::make_shared<HttpClientOptions>();
  options->authorization_type = "Bearer";
  options->credentials = {"", dir.File("absent")};
  missing_file.options = options;
  EXPECT_THAT(FetchOnce(missing_file).transport,
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("absent")));

  HttpRequest bad_header = Get("http://127.0.0.1:1/");
  bad_header.headers = {{"X-A", "one\r\nX-B: two"}};
  EXPECT_THAT(FetchOnce(bad_header).transport,
              StatusIs(absl::StatusCode::kInvalidArgument, ::testing::Not(HasSubstr("two"))));

  for (const char* url :
       {"", "nonsense", "ftp://host/x", "file:///etc/passwd", "http://", "http://h:99999/"}) {
    EXPECT_THAT(FetchOnce(Get(url)).transport, StatusIs(absl::StatusCode::kInvalidArgument)) << url;
  }
}

TEST(FetchOnce, NobodyThereIsUnavailable) {
  uint16_t port = 0;
  {
    const absl::StatusOr<ListenSocket> socket = Listen("127.0.0.1:0");
    ASSERT_THAT(socket, IsOk());
    port = socket->port;
  }
  const std::string url = "http://127.0.0.1:" + std::to_string(port) + "/";
  EXPECT_THAT(FetchOnce(Get(url)).transport, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(FetchOnce(Get("http://name.invalid/")).transport,
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST(FetchOnce, AListenerThatNeverAnswersIsADeadline) {
  const absl::StatusOr<ListenSocket> socket = Listen("127.0.0.1:0");
  ASSERT_THAT(socket, IsOk());
  HttpRequest request = Get("http://127.0.0.1:" + std::to_string(socket->port) + "/");
  request.timeout = absl::Milliseconds(50);
  EXPECT_THAT(FetchOnce(std::move(request)).transport,
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(FetchOnce, AClosedOrCutAnswerIsUnavailable) {
  const auto server = Serve([](const ServerRequest& request) {
    ServerResponse answer;
    answer.close_without_answer = request.path == "/close";
    answer.body = "half";
    answer.told_length = 100;
    return answer;
  });
  EXPECT_THAT(FetchOnce(Get(UrlOf(*server, "/close"))).transport,
              StatusIs(absl::StatusCode::kUnavailable));
  const HttpResponse cut = FetchOnce(Get(UrlOf(*server, "/cut")));
  EXPECT_THAT(cut.transport, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(cut.body, "half");
}

TEST(FetchOnce, ABodyThatWentUnansweredIsNotSentTwice) {
  std::atomic<int> posts = 0;
  const auto server = Serve([&](const ServerRequest& request) {
    ServerResponse answer;
    if (request.method == "POST") {
      ++posts;
      answer.close_without_answer = request.path == "/commit";
    }
    return answer;
  });
  HttpLoop loop;
  const auto post = [&](const char* path) {
    HttpRequest request = Get(UrlOf(*server, path));
    request.method = "POST";
    request.body = std::make_shared<const std::string>(100'000, 'x');
    bool done = false;
    absl::Status status;
    loop.Start(std::move(request), {nullptr, nullptr, [&](HttpResponse r) {
                                      done = true;
                                      status = r.transport;
                                    }});
    while (!done) loop.Poll(absl::Seconds(1));
    return status;
  };
  EXPECT_THAT(post("/ok"), IsOk());  // the connection is now kept alive
  EXPECT_THAT(post("/commit"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(posts, 2);
}

TEST(FetchOnce, BoundsTheBodyBeforeAndAfterInflating) {
  const std::string large(1 << 20, 'a');
  const auto server = Serve([&](const ServerRequest& request) {
    ServerResponse answer;
    answer.status = 400;
    answer.body = request.path == "/gzip" ? Gzip(large) : large;
    if (request.path == "/gzip") answer.headers = {{"Content-Encoding", "gzip"}};
    return answer;
  });
  for (const char* path : {"/plain", "/gzip"}) {
    HttpRequest request = Get(UrlOf(*server, path));
    request.accept_gzip = true;
    request.max_response_bytes = 1000;
    const HttpResponse response = FetchOnce(std::move(request));
    EXPECT_THAT(response.transport, StatusIs(absl::StatusCode::kResourceExhausted)) << path;
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.body, std::string(1000, 'a'));
  }
}

TEST(FetchOnce, InflatesGzipOnlyWhenAsked) {
  const auto server = Serve([](const ServerRequest& request) {
    ServerResponse answer;
    answer.headers = {{"X-Asked", std::string(request.Header("accept-encoding"))}};
    answer.headers.emplace_back("Content-Encoding",
                                request.path == "/deflate" ? "deflate" : "gzip");
    answer.body = Gzip("hello");
    return answer;
  });
  HttpRequest asked = Get(UrlOf(*server, "/"));
  asked.accept_gzip = true;
  const HttpResponse response = FetchOnce(std::move(asked));
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(response.Header("x-asked"), "gzip");
  const HttpResponse raw = FetchOnce(Get(UrlOf(*server, "/")));
  EXPECT_EQ(raw.body, Gzip("hello"));
  EXPECT_EQ(raw.Header("x-asked"), "");
  HttpRequest deflate = Get(UrlOf(*server, "/deflate"));
  deflate.accept_gzip = true;
  EXPECT_THAT(FetchOnce(std::move(deflate)).transport, StatusIs(absl::StatusCode::kUnavailable));
}

TEST(FetchOnce, BoundsTheHeaders) {
  const auto server = Serve([](const ServerRequest&) {
    ServerResponse answer;
    for (int i = 0; i < 40; ++i)
      answer.headers.emplace_back("X-" + std::to_string(i), std::string(2000, 'h'));
    return answer;
  });
  EXPECT_THAT(FetchOnce(Get(UrlOf(*server, "/"))).transport,
              StatusIs(absl::StatusCode::kResourceExhausted));
}

struct RedirectCase {
  const char* method;
  int status;
  const char* want;  // the request line that arrives at the end
};

TEST(Redirects, AreFollowedWhenAskedAsGoDoes) {
  const auto server = Serve([](const ServerRequest& request) {
    if (request.path == "/end") return Echo(request);
    ServerResponse answer;
    answer.status = std::stoi(std::string(request.Query("status")));
    answer.headers = {{"Location", "end"}};
    return answer;
  });
  const RedirectCase cases[] = {
      {"GET", 301, "GET /end"},  {"GET", 307, "GET /end"},   {"POST", 302, "GET /end"},
      {"POST", 303, "GET /end"}, {"POST", 307, "POST /end"}, {"POST", 308, "POST /end"},
  };
  for (const RedirectCase& c : cases) {
    HttpRequest request = Get(UrlOf(*server, "/start?status=" + std::to_string(c.status)));
    request.method = c.method;
    request.options = std::make_shared<const HttpClientOptions>();
    if (request.method == "POST") request.body = std::make_shared<const std::string>("data");
    EXPECT_THAT(FetchOnce(std::move(request)).body, ::testing::StartsWith(c.want))
        << c.method << c.status;
  }
  EXPECT_EQ(FetchOnce(Get(UrlOf(*server, "/start?status=302"))).status, 302) << "nobody asked";
}

TEST(Redirects, NeverCarryCredentialsToAnotherOrigin) {
  const auto other = Serve(Echo);
  const std::string elsewhere = UrlOf(*other, "/end");
  const auto server = Serve([&](const ServerRequest&) {
    ServerResponse answer;
    answer.status = 307;
    answer.headers = {{"Location", elsewhere}};
    return answer;
  });
  auto options = std::make_shared<HttpClientOptions>();
  options->authorization_type = "Bearer";
  options->credentials = {"canary", ""};
  options->headers = {{"X-Key", {"canary"}, {}}};
  HttpRequest request = Get(UrlOf(*server, "/"));
  request.options = options;
  request.headers = {{"X-Plain", "kept"}};
  const std::string body = FetchOnce(std::move(request)).body;
  EXPECT_THAT(body, HasSubstr("x-plain: kept"));
  EXPECT_THAT(body, ::testing::Not(HasSubstr("canary")));
}

TEST(Redirects, EndAfterTenAndStayWithinHttp) {
  std::atomic<int> seen = 0;
  const auto server = Serve([&](const ServerRequest& request) {
    ++seen;
    ServerResponse answer;
    answer.status = 302;
    answer.headers = {{"Location", request.path == "/file" ? "file:///etc/passwd" : "/again"}};
    return answer;
  });
  HttpRequest loop = Get(UrlOf(*server, "/"));
  loop.options = std::make_shared<const HttpClientOptions>();
  EXPECT_EQ(FetchOnce(std::move(loop)).status, 302);
  EXPECT_EQ(seen, 11);
  HttpRequest file = Get(UrlOf(*server, "/file"));
  file.options = std::make_shared<const HttpClientOptions>();
  const HttpResponse response = FetchOnce(std::move(file));
  EXPECT_EQ(response.status, 302);
  EXPECT_EQ(response.body, "");
}

TEST(HttpLoop, RunsManyAtOnceAndStartsFromCallbacks) {
  const auto server = Serve(Echo);
  HttpLoop loop;
  int done = 0;
  std::function<void(int)> start = [&](int left) {
    loop.Start(Get(UrlOf(*server, "/")), {nullptr, nullptr, [&, left](HttpResponse response) {
                                            EXPECT_EQ(response.status, 200);
                                            ++done;
                                            if (left > 1) start(left - 1);
                                          }});
  };
  for (int i = 0; i < 20; ++i) start(5);
  EXPECT_EQ(loop.in_flight(), 20u);
  while (loop.in_flight() > 0) loop.Poll(absl::Seconds(1));
  EXPECT_EQ(done, 100);
}

TEST(HttpLoop, StreamsABodyAndCanPauseAndResume) {
  const std::string large(3 << 20, 'z');
  const auto server = Serve([&](const ServerRequest&) {
    ServerResponse answer;
    answer.body = large;
    return answer;
  });
  HttpLoop loop;
  int heads = 0, pauses = 0;
  size_t bytes = 0;
  bool paused = false, done = false;
  HttpLoop::RequestId id = 0;
  id = loop.Start(Get(UrlOf(*server, "/")),
                  {[&](const HttpResponse& head) {
                     ++heads;
                     EXPECT_EQ(head.status, 200);
                     EXPECT_EQ(head.Header("content-length"), std::to_string(large.size()));
                   },
                   [&](std::string_view piece) {
                     EXPECT_FALSE(paused);
                     if (pauses < 3 && bytes > large.size() / 4 * static_cast<size_t>(pauses)) {
                       ++pauses;
                       paused = true;
                       return BodyFlow::kPause;
                     }
                     bytes += piece.size();
                     return BodyFlow::kContinue;
                   },
                   [&](HttpResponse response) {
                     EXPECT_THAT(response.transport, IsOk());
                     EXPECT_EQ(response.body, "");
                     done = true;
                   }});
  while (!done) {
    loop.Poll(absl::Milliseconds(1));
    if (paused) {
      paused = false;
      loop.Resume(id);
    }
  }
  EXPECT_EQ(heads, 1);
  EXPECT_EQ(pauses, 3);
  EXPECT_EQ(bytes, large.size());
}

TEST(HttpLoop, AReceiverCanEndTheBody) {
  const auto server = Serve([](const ServerRequest&) {
    ServerResponse answer;
    answer.body = std::string(1 << 20, 'z');
    return answer;
  });
  HttpLoop loop;
  absl::Status status;
  int pieces = 0;
  loop.Start(Get(UrlOf(*server, "/")),
             {nullptr,
              [&](std::string_view) {
                ++pieces;
                return BodyFlow::kAbort;
              },
              [&](HttpResponse response) { status = response.transport; }});
  while (loop.in_flight() > 0) loop.Poll(absl::Seconds(1));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(pieces, 1);
}

TEST(HttpLoop, CancelEndsWhatWaitsAndWhatRuns) {
  const absl::StatusOr<ListenSocket> silent = Listen("127.0.0.1:0");
  ASSERT_THAT(silent, IsOk());
  HttpLoop loop;
  int cancelled = 0;
  const auto start = [&] {
    return loop.Start(Get("http://127.0.0.1:" + std::to_string(silent->port) + "/"),
                      {nullptr, nullptr, [&](HttpResponse response) {
                         EXPECT_THAT(response.transport, StatusIs(absl::StatusCode::kCancelled));
                         ++cancelled;
                       }});
  };
  const HttpLoop::RequestId running = start();
  loop.Poll(absl::ZeroDuration());
  const HttpLoop::RequestId waiting = start();
  loop.Cancel(running);
  loop.Cancel(waiting);
  loop.Cancel(12345);
  loop.Poll(absl::ZeroDuration());
  EXPECT_EQ(cancelled, 2);
  EXPECT_EQ(loop.in_flight(), 0u);
}

TEST(HttpLoop, ItsEndCallsNobody) {
  const absl::StatusOr<ListenSocket> silent = Listen("127.0.0.1:0");
  ASSERT_THAT(silent, IsOk());
  bool called = false;
  {
    HttpLoop loop;
    for (int i = 0; i < 2; ++i) {
      loop.Start(Get("http://127.0.0.1:" + std::to_string(silent->port) + "/"),
                 {nullptr, nullptr, [&](HttpResponse) { called = true; }});
      loop.Poll(absl::ZeroDuration());
    }
  }
  EXPECT_FALSE(called);
}

TEST(HttpLoop, WakeupEndsAWait) {
  HttpLoop loop;
  std::thread other([&] { loop.Wakeup(); });
  loop.Poll(absl::Minutes(5));
  other.join();
}

}  // namespace
}  // namespace ampari
