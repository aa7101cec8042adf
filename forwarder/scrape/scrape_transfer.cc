#include "forwarder/scrape/scrape_transfer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"
#include "forwarder/scrape/accept.h"

namespace ampari {
namespace {

ScrapeFailure FailureOf(const absl::Status& transport) {
  if (absl::IsDeadlineExceeded(transport)) return ScrapeFailure::kTimeout;
  if (absl::IsPermissionDenied(transport)) return ScrapeFailure::kTls;
  if (absl::IsResourceExhausted(transport)) return ScrapeFailure::kBodySize;
  return ScrapeFailure::kConnection;
}

}  // namespace

HttpRequest ScrapeRequest(const Target& target) {
  HttpRequest request;
  request.url = target.url;
  request.headers = {
      {"Accept", AcceptHeader(target.job->scrape_protocols)},
      {"X-Prometheus-Scrape-Timeout-Seconds", TimeoutHeader(target.timeout)},
      {"User-Agent", absl::StrCat("ampari-forwarder/", AMPARI_VERSION)},
  };
  request.accept_gzip = target.job->enable_compression;
  if (!request.accept_gzip) request.headers.emplace_back("Accept-Encoding", "identity");
  request.timeout = target.timeout;
  request.connect_timeout = target.timeout;
  request.options = std::shared_ptr<const HttpClientOptions>(target.job, &target.job->http);
  return request;
}

ScrapeTransfer::ScrapeTransfer(std::shared_ptr<ScrapedTarget> target, int64_t timestamp_ms,
                               absl::Duration started)
    : target_(std::move(target)),
      what_(target_->target()),
      timestamp_ms_(timestamp_ms),
      started_(started) {}

void ScrapeTransfer::Fail(ScrapeFailure failure, absl::Status why) {
  if (outcome_.failure != ScrapeFailure::kNone) return;
  outcome_.failure = failure;
  outcome_.end.transport = std::move(why);
}

void ScrapeTransfer::OnHead(const HttpResponse& head) {
  if (head.status != 200) {
    Fail(ScrapeFailure::kHttpStatus,
         absl::UnavailableError(absl::StrCat("server returned HTTP status ", head.status)));
    return;
  }
  const std::string_view encoding = head.Header("content-encoding");
  if (!encoding.empty() && encoding != "identity" &&
      !(encoding == "gzip" && what_->job->enable_compression)) {
    Fail(ScrapeFailure::kContentType,
         absl::InvalidArgumentError("the body is compressed, which was not asked for"));
    return;
  }
  protocol_ = ProtocolOf(head.Header("content-type"), *what_->job);
  uint64_t length = 0;
  if (absl::SimpleAtoi(ToAbsl(head.Header("content-length")), &length)) {
    expected_bytes_ = std::min<uint64_t>(length, kPieceBytes);
  }
}

BodyFlow ScrapeTransfer::OnData(std::string_view bytes) {
  paused_ = false;
  if (bytes.empty()) return BodyFlow::kContinue;
  // An empty body needs no content type, so a bad one matters only now.
  if (!protocol_.ok()) Fail(ScrapeFailure::kContentType, protocol_.status());
  if (outcome_.failure != ScrapeFailure::kNone) {
    body_bytes_ += bytes.size();
    return body_bytes_ > kMaxDrainedBytes ? BodyFlow::kAbort : BodyFlow::kContinue;
  }
  if (!target_->has_room()) {
    paused_ = true;
    return BodyFlow::kPause;
  }
  body_bytes_ += bytes.size();
  const uint64_t limit = what_->job->body_size_limit;
  if ((limit != 0 && body_bytes_ >= limit) || body_bytes_ >= kMaxBodyBytes) {
    outcome_.end.body_limit_hit = true;
    Fail(ScrapeFailure::kBodySize, absl::ResourceExhaustedError("body size limit exceeded"));
    return BodyFlow::kAbort;
  }
  Take(bytes);
  return BodyFlow::kContinue;
}

void ScrapeTransfer::Take(std::string_view bytes) {
  while (!bytes.empty()) {
    if (piece_.empty()) piece_.reserve(expected_bytes_);
    const size_t n = std::min(bytes.size(), kPieceBytes - piece_.size());
    piece_.append(bytes.substr(0, n));
    bytes.remove_prefix(n);
    if (piece_.size() == kPieceBytes) Flush();
  }
}

void ScrapeTransfer::BeginOnce() {
  if (std::exchange(begun_, true)) return;
  target_->Begin({timestamp_ms_, protocol_.value_or(ScrapeProtocol::kText004)});
}

void ScrapeTransfer::Flush() {
  BeginOnce();
  target_->Feed(std::exchange(piece_, {}));
}

void ScrapeTransfer::OnDone(const HttpResponse& response) {
  if (!response.transport.ok()) {
    const ScrapeFailure failure = FailureOf(response.transport);
    const bool timed_out = failure == ScrapeFailure::kTimeout;
    Fail(failure, timed_out ? absl::DeadlineExceededError(absl::StrCat(
                                  "timed out after ", absl::FormatDuration(what_->timeout)))
                            : response.transport);
  }
  if (outcome_.failure == ScrapeFailure::kNone && !piece_.empty()) Flush();
  BeginOnce();
  outcome_.started = started_;
  target_->Finish(std::move(outcome_));
}

}  // namespace ampari
