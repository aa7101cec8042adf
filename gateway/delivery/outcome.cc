#include "gateway/delivery/outcome.h"

#include <algorithm>
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

Outcome ClassifyPushAnswer(const HttpResponse& response, absl::Time now) {
  constexpr int kIngestionBlocked = 260;
  Outcome outcome = ClassifyAnswer(response, true, now);
  const bool blocked = outcome.fate == Fate::kDelivered && response.status == kIngestionBlocked;
  if (blocked) outcome.fate = Fate::kBlocked;
  const bool of_a_stream = response.body.find(" stream ") != std::string::npos;
  if (response.status == 429 && of_a_stream) outcome.brake = Brake::kLane;
  return outcome;
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
