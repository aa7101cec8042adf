#include "forwarder/discovery/kubernetes/failure_rules.h"

namespace ampari {
namespace {

PodWatchFailure ClassifyCode(int code) {
  if (code == 401 || code == 403) return PodWatchFailure::kUnauthorized;
  if (code == 410) return PodWatchFailure::kGone;
  if (code == 429) return PodWatchFailure::kThrottled;
  return code >= 500 || code == 408 ? PodWatchFailure::kServer : PodWatchFailure::kRefused;
}

PodWatchFailure ClassifyTransport(const absl::Status& transport) {
  switch (transport.code()) {
    case absl::StatusCode::kDeadlineExceeded:
      return PodWatchFailure::kTimeout;
    case absl::StatusCode::kPermissionDenied:
      return PodWatchFailure::kTls;
    case absl::StatusCode::kResourceExhausted:
      return PodWatchFailure::kTooLarge;
    case absl::StatusCode::kInvalidArgument:
      return PodWatchFailure::kAccess;
    default:
      return PodWatchFailure::kConnection;
  }
}

}  // namespace

std::string_view PodWatchFailureName(PodWatchFailure failure) {
  constexpr std::array<std::string_view, kPodWatchFailures> kNames{
      "access", "connection", "timeout", "tls",       "unauthorized", "throttled", "server",
      "gone",   "too_new",    "refused", "too_large", "malformed",    "cut"};
  return kNames[static_cast<size_t>(failure)];
}

FailureRule RuleOf(PodWatchFailure failure) {
  switch (failure) {
    case PodWatchFailure::kAccess:
    case PodWatchFailure::kTls:
    case PodWatchFailure::kUnauthorized:
      return {.pace = RetryPace::kSlow, .read_access = true};
    case PodWatchFailure::kConnection:
      return {.read_access = true};
    case PodWatchFailure::kTimeout:
    case PodWatchFailure::kThrottled:
    case PodWatchFailure::kServer:
      return {};
    case PodWatchFailure::kCut:
      return {.routine = true};
    case PodWatchFailure::kGone:
      return {.pace = RetryPace::kSpread, .list_again = true, .routine = true};
    case PodWatchFailure::kTooNew:
      return {.pace = RetryPace::kSpread, .list_again = true, .newest = true};
    case PodWatchFailure::kRefused:
      return {.pace = RetryPace::kSlow, .list_again = true};
    case PodWatchFailure::kTooLarge:
      return {.list_again = true, .newest = true};
    case PodWatchFailure::kMalformed:
      return {.list_again = true};
  }
  return {};
}

PodWatchFailure ClassifyStatus(const ApiStatus& status) {
  if (status.version_too_large) return PodWatchFailure::kTooNew;
  if (status.code == 0) return PodWatchFailure::kServer;
  return ClassifyCode(status.code);
}

std::optional<PodWatchFailure> ClassifyResponse(const HttpResponse& response,
                                                const ApiStatus& status) {
  if (response.status == 200) {
    if (response.transport.ok()) return std::nullopt;
    return ClassifyTransport(response.transport);
  }
  // A refusal is judged by its status, however its body ended.
  if (response.status < 200) return ClassifyTransport(response.transport);
  if (status.version_too_large) return PodWatchFailure::kTooNew;
  return ClassifyCode(response.status);
}

}  // namespace ampari
