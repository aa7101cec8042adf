#include "gateway/delivery/outcome.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "gateway/delivery/redaction.h"

namespace ampari {
namespace {

Outcome Just(Fate fate) {
  Outcome outcome;
  outcome.fate = fate;
  return outcome;
}

Outcome ClassifyTransport(const absl::Status& transport) {
  switch (transport.code()) {
    case absl::StatusCode::kPermissionDenied:  // TLS refusal, unreadable secret
    case absl::StatusCode::kInvalidArgument:   // the URL
      return Just(Fate::kHold);
    case absl::StatusCode::kUnavailable:
      return {Fate::kRetry, Brake::kDestination, true, std::nullopt};
    default:  // a timeout, an answer too large to read, cancelled
      return {Fate::kRetry, Brake::kLane, true, std::nullopt};
  }
}

Outcome RetryStatus(int status, std::optional<absl::Duration> retry_after) {
  Outcome outcome{Fate::kRetry, Brake::kLane, status != 429, retry_after};
  if (status == 429 || status == 503) outcome.brake = Brake::kDestination;
  return outcome;
}

}  // namespace

Outcome ClassifyAnswer(const HttpResponse& response, bool retry_on_429, absl::Time now) {
  if (!response.transport.ok()) {
    // An answer whose status arrived is judged by it, however its body ended.
    if (response.status < 200 ||
        response.transport.code() != absl::StatusCode::kResourceExhausted) {
      return ClassifyTransport(response.transport);
    }
  }
  const int status = response.status;
  if (status >= 200 && status < 300) return Just(Fate::kDelivered);
  if (status == 413) return Just(Fate::kSplit);
  if (status == 400 || status == 409 || status == 422) return Just(Fate::kRefused);
  if (status == 429 && !retry_on_429) return Just(Fate::kHold);
  if (status == 408 || status == 429 || status >= 500) {
    return RetryStatus(status, ParseRetryAfter(response.Header("retry-after"), now));
  }
  return Just(Fate::kHold);
}

std::optional<absl::Duration> ParseRetryAfter(std::string_view value, absl::Time now) {
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  if (value.empty()) return std::nullopt;
  absl::Duration wait;
  if (std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    uint32_t seconds = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), seconds);
    wait = parsed.ec == std::errc() ? absl::Seconds(seconds) : kMaxRetryAfter;
  } else {
    absl::Time at;
    std::string error;
    if (!absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", std::string(value), &at, &error))
      return std::nullopt;
    wait = at - now;
  }
  if (wait <= absl::ZeroDuration()) return std::nullopt;
  return std::min(wait, kMaxRetryAfter);
}

std::string AnswerName(const HttpResponse& response) {
  if (response.status >= 200) return std::to_string(response.status);
  switch (response.transport.code()) {
    case absl::StatusCode::kDeadlineExceeded:
      return "timeout";
    case absl::StatusCode::kPermissionDenied:
      return "TLS or secret";
    default:
      return "no answer";
  }
}

std::string AnswerWords(const HttpResponse& response, std::vector<std::string> secrets) {
  std::string words = AnswerName(response);
  const std::string said =
      Redacted(response.transport.ok() ? response.body : std::string(response.transport.message()),
               std::move(secrets));
  if (said.empty()) return words;
  words += ": ";
  for (const char c : said) {
    if (words.size() >= kMaxWordsBytes) break;
    const auto byte = static_cast<unsigned char>(c);
    words.push_back(byte < 0x20 || byte == 0x7f ? ' ' : c);
  }
  while (!words.empty() && words.back() == ' ') words.pop_back();
  return words;
}

}  // namespace ampari
