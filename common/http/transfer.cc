#include "common/http/transfer.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "common/http/curl_errors.h"
#include "common/http/redirect.h"
#include "common/runtime/absl_view.h"
#include "common/runtime/check.h"
#include "common/runtime/clock.h"

namespace ampari {

static_assert(CURL_ERROR_SIZE == 256);

// What libcurl calls; `self` is the Transfer.
struct TransferCallbacks {
  static size_t Header(char* data, size_t size, size_t count, void* self) {
    const size_t bytes = size * count;
    return static_cast<Transfer*>(self)->OnHeaderLine({data, bytes}) ? bytes : 0;
  }

  static size_t Body(char* data, size_t size, size_t count, void* self) {
    return static_cast<Transfer*>(self)->OnBody({data, size * count});
  }

  static size_t Read(char* out, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::string_view rest =
        std::string_view(*transfer.request_.body).substr(transfer.body_sent_);
    const size_t bytes = std::min(rest.size(), size * count);
    std::memcpy(out, rest.data(), bytes);
    transfer.body_sent_ += bytes;
    return bytes;
  }

  // libcurl would quietly repeat a request whose kept-alive connection broke before an answer. The
  // caller must know of every attempt that went unanswered, so a body cannot be rewound.
  static int Seek(void* /*self*/, curl_off_t /*offset*/, int /*origin*/) {
    return CURL_SEEKFUNC_FAIL;
  }
};

Transfer::Transfer(uint64_t id, HttpRequest request, HttpLoop::Callbacks callbacks)
    : id_(id),
      request_(std::move(request)),
      callbacks_(std::move(callbacks)),
      started_(SystemClock().Monotonic()) {}

Transfer::~Transfer() {
  if (easy_ != nullptr) curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
  curl_slist_free_all(connect_to_);
}

void Transfer::SetCallbacks() {
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &TransferCallbacks::Header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &TransferCallbacks::Body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
}

void Transfer::SetBody() {
  const std::string& method = request_.method;
  if (request_.body == nullptr) {
    if (method == "HEAD") {
      curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    } else if (method == "POST") {
      curl_easy_setopt(easy_, CURLOPT_POST, 1L);
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, "");
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE, 0L);
    } else if (method != "GET") {
      curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
    }
    return;
  }
  body_sent_ = 0;
  curl_easy_setopt(easy_, CURLOPT_POST, 1L);
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(request_.body->size()));
  curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &TransferCallbacks::Read);
  curl_easy_setopt(easy_, CURLOPT_READDATA, this);
  curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, &TransferCallbacks::Seek);
  curl_easy_setopt(easy_, CURLOPT_SEEKDATA, this);
  if (method != "POST") curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
}

bool Transfer::OnHeaderLine(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxResponseHeaderBytes) {
    refused_ = absl::ResourceExhaustedError("the answer's headers are too large");
    return false;
  }
  line = FromAbsl(absl::StripTrailingAsciiWhitespace(ToAbsl(line)));
  if (line.starts_with("HTTP/")) {
    response_.headers.clear();
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    return true;
  }
  if (line.empty()) return response_.status < 200 || OnHead();
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  response_.headers.emplace_back(
      absl::AsciiStrToLower(ToAbsl(line.substr(0, colon))),
      std::string(absl::StripAsciiWhitespace(ToAbsl(line.substr(colon + 1)))));
  return true;
}

bool Transfer::OnHead() {
  if (silenced_) return true;
  redirecting_ = request_.options != nullptr && request_.options->follow_redirects &&
                 IsRedirect(response_.status) && redirects_ < kMaxRedirects &&
                 !response_.Header("location").empty();
  if (redirecting_) return true;
  const std::string_view encoding = response_.Header("content-encoding");
  if (request_.accept_gzip && !encoding.empty() &&
      !absl::EqualsIgnoreCase(ToAbsl(encoding), "gzip") &&
      !absl::EqualsIgnoreCase(ToAbsl(encoding), "identity")) {
    refused_ = absl::UnavailableError("the answer has a content encoding that was not asked for");
    return false;
  }
  if (callbacks_.on_head) callbacks_.on_head(response_);
  return true;
}

size_t Transfer::OnBody(std::string_view piece) {
  if (silenced_ || redirecting_) return piece.size();
  if (callbacks_.on_data) {
    switch (callbacks_.on_data(piece)) {
      case BodyFlow::kContinue:
        return piece.size();
      case BodyFlow::kPause:
        return CURL_WRITEFUNC_PAUSE;
      case BodyFlow::kAbort:
        break;
    }
    refused_ = absl::CancelledError("the receiver of the body ended the request");
    return piece.size() + 1;
  }
  const size_t room = request_.max_response_bytes - response_.body.size();
  response_.body.append(piece.substr(0, room));
  if (piece.size() <= room) return piece.size();
  refused_ = absl::ResourceExhaustedError("the answer's body is too large");
  return piece.size() + 1;
}

bool Transfer::TakeRedirect(int code) {
  if (!redirecting_ || code != CURLE_OK || silenced_) return false;
  redirecting_ = false;
  absl::StatusOr<std::string> next =
      ResolveUrl(request_.url, std::string(response_.Header("location")));
  if (!next.ok()) return false;
  const absl::StatusOr<UrlOrigin> from = ParseOrigin(request_.url);
  const absl::StatusOr<UrlOrigin> to = ParseOrigin(*next);
  if (!from.ok() || !to.ok()) return false;
  if (!(*from == *to)) same_origin_ = false;
  if (!RedirectKeepsMethod(response_.status, request_.method)) {
    request_.method = "GET";
    request_.body = nullptr;
  }
  request_.url = *std::move(next);
  response_ = HttpResponse();
  header_bytes_ = 0;
  ++redirects_;
  return true;
}

void Transfer::Finish(int code, const absl::Status& status) {
  response_.elapsed = SystemClock().Monotonic() - started_;
  if (!status.ok()) {
    response_.transport = status;
  } else if (!refused_.ok()) {
    response_.transport = refused_;
  } else {
    response_.transport = TransportStatus(code, error_);
  }
  if (callbacks_.on_done) callbacks_.on_done(std::move(response_));
}

}  // namespace ampari
