#include "common/http/server.h"

#include <microhttpd.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/http/deferred_answers.h"
#include "common/http/listen_socket.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

constexpr unsigned kThreads = 4;  // unless thread_per_connection
constexpr size_t kConnectionBytes = size_t{128}
                                    << 10;  // request head and read buffer of one connection

std::string_view Find(const std::vector<std::pair<std::string, std::string>>& headers,
                      std::string_view lower_case_name) {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

// One request while it arrives, and its answer if it was deferred.
struct Exchange {
  ServerRequest request;
  bool too_large = false;
  std::optional<ServerResponse> deferred;
};

MHD_Result AddHeader(void* out, MHD_ValueKind, const char* name, const char* value) {
  static_cast<ServerRequest*>(out)->headers.emplace_back(absl::AsciiStrToLower(name),
                                                         value == nullptr ? "" : value);
  return MHD_YES;
}

MHD_Result AddQuery(void* out, MHD_ValueKind, const char* name, const char* value) {
  std::string& query = static_cast<ServerRequest*>(out)->query;
  if (!query.empty()) query += '&';
  absl::StrAppend(&query, name, "=", value == nullptr ? "" : value);
  return MHD_YES;
}

void ReadHead(MHD_Connection* connection, const char* url, const char* method,
              ServerRequest* request) {
  request->method = method;
  request->path = url;
  MHD_get_connection_values(connection, MHD_HEADER_KIND, &AddHeader, request);
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, &AddQuery, request);
  const auto* client = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (client != nullptr) {
    request->peer = AddressText(client->client_addr);
    request->peer_is_loopback = IsLoopback(client->client_addr);
  }
  const auto* socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  auto* address = reinterpret_cast<sockaddr*>(&local);
  if (socket != nullptr && ::getsockname(socket->connect_fd, address, &size) == 0) {
    request->local = AddressText(address);
  }
}

// A body that is told to be longer than it is: the connection breaks where it ends.
struct CutBody {
  std::string body;
};

ssize_t ReadCutBody(void* self, uint64_t position, char* out, size_t room) {
  const std::string& body = static_cast<CutBody*>(self)->body;
  if (position >= body.size()) return MHD_CONTENT_READER_END_WITH_ERROR;
  const size_t bytes = std::min<uint64_t>(room, body.size() - position);
  std::memcpy(out, body.data() + position, bytes);
  return static_cast<ssize_t>(bytes);
}

// A body made while it is sent.
struct StreamedBody {
  std::function<std::string()> next;
  std::string piece;
  size_t sent = 0;  // of piece
};

ssize_t ReadStreamedBody(void* self, uint64_t, char* out, size_t room) {
  auto& body = *static_cast<StreamedBody*>(self);
  if (body.sent == body.piece.size()) {
    body.piece = body.next();
    body.sent = 0;
    if (body.piece.empty()) return MHD_CONTENT_READER_END_OF_STREAM;
  }
  const size_t bytes = std::min(room, body.piece.size() - body.sent);
  std::memcpy(out, body.piece.data() + body.sent, bytes);
  body.sent += bytes;
  return static_cast<ssize_t>(bytes);
}

MHD_Response* MakeResponse(ServerResponse answer) {
  if (answer.told_length > answer.body.size()) {
    return MHD_create_response_from_callback(
        answer.told_length, 65536, &ReadCutBody, new CutBody{std::move(answer.body)},
        [](void* self) { delete static_cast<CutBody*>(self); });
  }
  if (answer.stream) {
    return MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, 65536, &ReadStreamedBody,
        new StreamedBody{std::move(answer.stream), "", 0},
        [](void* self) { delete static_cast<StreamedBody*>(self); });
  }
  auto* kept = new std::string(std::move(answer.body));
  return MHD_create_response_from_buffer_with_free_callback_cls(
      kept->size(), kept->data(), [](void* self) { delete static_cast<std::string*>(self); }, kept);
}

MHD_Result Answer(MHD_Connection* connection, ServerResponse answer) {
  if (answer.close_without_answer) return MHD_NO;
  const std::string type = std::move(answer.content_type);
  const auto headers = std::move(answer.headers);
  const int status = answer.status;
  MHD_Response* response = MakeResponse(std::move(answer));
  if (response == nullptr) return MHD_NO;
  if (!type.empty()) MHD_add_response_header(response, "Content-Type", type.c_str());
  for (const auto& [name, value] : headers) {
    MHD_add_response_header(response, name.c_str(), value.c_str());
  }
  const MHD_Result queued = MHD_queue_response(connection, static_cast<unsigned>(status), response);
  MHD_destroy_response(response);
  return queued;
}

ServerResponse TooLarge() {
  ServerResponse answer;
  answer.status = 413;
  answer.body = "request body too large\n";
  return answer;
}

ServerResponse Busy() {
  ServerResponse answer;
  answer.status = 503;
  answer.headers = {{"Retry-After", "5"}};
  answer.body = "busy with an earlier request that takes long; ask again\n";
  return answer;
}

}  // namespace

std::string_view ServerRequest::Header(std::string_view lower_case_name) const {
  return Find(headers, lower_case_name);
}

std::string_view ServerRequest::Query(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name) {
      return equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    }
  }
  return {};
}

class HttpServer::Core {
 public:
  Core(ServerOptions options, Handler handler)
      : options_(std::move(options)), handler_(std::move(handler)) {}
  ~Core() {
    deferred_.Stop();  // a daemon must not stop while a connection is suspended
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  absl::Status Start() {
    absl::StatusOr<ListenSocket> socket = Listen(options_.listen_address);
    if (!socket.ok()) return socket.status();
    const bool tls = !options_.cert_pem.empty() && !options_.key_pem.empty();
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    flags |= options_.thread_per_connection ? MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL
                                            : MHD_USE_EPOLL;
    if (tls) flags |= MHD_USE_TLS;
    std::vector<MHD_OptionItem> items = {
        {MHD_OPTION_LISTEN_SOCKET, socket->fd.get(), nullptr},
        {MHD_OPTION_CONNECTION_LIMIT, static_cast<intptr_t>(options_.max_connections), nullptr},
        {MHD_OPTION_CONNECTION_TIMEOUT, IdleSeconds(), nullptr},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionBytes, nullptr},
        {MHD_OPTION_NOTIFY_COMPLETED, reinterpret_cast<intptr_t>(&Core::Completed), this},
    };
    if (!options_.thread_per_connection) {
      const auto threads = std::min<size_t>(kThreads, options_.max_connections);
      items.push_back({MHD_OPTION_THREAD_POOL_SIZE, static_cast<intptr_t>(threads), nullptr});
    }
    if (tls) {
      items.push_back({MHD_OPTION_HTTPS_MEM_CERT, 0, options_.cert_pem.data()});
      items.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, options_.key_pem.data()});
    }
    items.push_back({MHD_OPTION_END, 0, nullptr});
    daemon_ = MHD_start_daemon(flags, 0, nullptr, nullptr, &Core::Access, this, MHD_OPTION_ARRAY,
                               items.data(), MHD_OPTION_END);
    if (daemon_ == nullptr) {
      return absl::UnavailableError(absl::StrCat("cannot serve on ", options_.listen_address,
                                                 tls ? ": is the certificate valid?" : ""));
    }
    socket->fd.release();  // the daemon closes it
    port_ = socket->port;
    return absl::OkStatus();
  }

  uint16_t port() const { return port_; }

 private:
  intptr_t IdleSeconds() const {
    return std::max<intptr_t>(1, absl::ToInt64Seconds(options_.idle_timeout));
  }

  // Called for the head, for each piece of the body, and when the request is whole.
  static MHD_Result Access(void* self, MHD_Connection* connection, const char* url,
                           const char* method, const char*, const char* data, size_t* size,
                           void** state) {
    auto& core = *static_cast<Core*>(self);
    auto* exchange = static_cast<Exchange*>(*state);
    if (exchange == nullptr) return core.OnHead(connection, url, method, state);
    if (*size > 0) {
      if (exchange->request.body.size() + *size > core.options_.max_body_bytes) {
        exchange->too_large = true;
        exchange->request.body.clear();
      }
      if (!exchange->too_large) exchange->request.body.append(data, *size);
      *size = 0;
      return MHD_YES;
    }
    if (exchange->too_large) return Answer(connection, TooLarge());
    if (exchange->deferred) return Answer(connection, *std::move(exchange->deferred));
    ServerResponse answer = core.handler_(exchange->request);
    if (answer.deferred) return core.Defer(connection, *exchange, std::move(answer.deferred));
    return Answer(connection, std::move(answer));
  }

  // Access is called again once the connection is resumed.
  MHD_Result Defer(MHD_Connection* connection, Exchange& exchange, DeferredAnswers::Make make) {
    MHD_suspend_connection(connection);
    const auto resume = [connection, &exchange](ServerResponse answer) {
      exchange.deferred = std::move(answer);
      MHD_resume_connection(connection);
    };
    if (!deferred_.Start(std::move(make), resume)) resume(Busy());
    return MHD_YES;
  }

  MHD_Result OnHead(MHD_Connection* connection, const char* url, const char* method, void** state) {
    auto* exchange = new Exchange;
    *state = exchange;
    ReadHead(connection, url, method, &exchange->request);
    uint64_t length = 0;
    if (!absl::SimpleAtoi(ToAbsl(exchange->request.Header("content-length")), &length))
      return MHD_YES;
    if (length > options_.max_body_bytes) return Answer(connection, TooLarge());
    exchange->request.body.reserve(length);
    return MHD_YES;
  }

  static void Completed(void*, MHD_Connection*, void** state, MHD_RequestTerminationCode) {
    delete static_cast<Exchange*>(*state);
    *state = nullptr;
  }

  ServerOptions options_;  // not changed after Start()
  const Handler handler_;
  MHD_Daemon* daemon_ = nullptr;
  uint16_t port_ = 0;
  DeferredAnswers deferred_;
};

HttpServer::HttpServer(std::unique_ptr<Core> core) : core_(std::move(core)) {}
HttpServer::~HttpServer() = default;
uint16_t HttpServer::port() const { return core_->port(); }

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(ServerOptions options,
                                                              Handler handler) {
  auto core = std::make_unique<Core>(std::move(options), std::move(handler));
  if (absl::Status started = core->Start(); !started.ok()) return started;
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(core)));
}

}  // namespace ampari
