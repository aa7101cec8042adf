#include "forwarder/scrape/accept.h"

#include <array>
#include <charconv>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

// Prometheus knows five protocols; the first one asked for gets the weight after that.
constexpr int kFirstWeight = 6;
constexpr size_t kMaxShownBytes = 128;

std::string_view MediaRange(ScrapeProtocol protocol) {
  switch (protocol) {
    case ScrapeProtocol::kText004:
      return "text/plain;version=0.0.4";
    case ScrapeProtocol::kText100:
      return "text/plain;version=1.0.0;escaping=underscores";
    case ScrapeProtocol::kOpenMetrics001:
      return "application/openmetrics-text;version=0.0.1";
    case ScrapeProtocol::kOpenMetrics100:
      return "application/openmetrics-text;version=1.0.0;escaping=underscores";
  }
  return "";
}

// For messages: quoted, and cut when it is long.
std::string Shown(std::string_view content_type) {
  return Quoted(content_type.substr(0, kMaxShownBytes));
}

// A cursor over a header value, in the terms of RFC 2045 and RFC 9110.
class MediaTypeReader {
 public:
  explicit MediaTypeReader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  void SkipBlanks() { rest_ = FromAbsl(absl::StripLeadingAsciiWhitespace(ToAbsl(rest_))); }
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view Token() {
    size_t n = 0;
    while (n < rest_.size() && IsTokenByte(rest_[n])) ++n;
    const std::string_view token = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return token;
  }
  // A token or a quoted string; false when there is neither.
  bool Value() {
    if (!Take('"')) return !Token().empty();
    while (!rest_.empty()) {
      if (Take('"')) return true;
      const bool escaped = Take('\\');
      if (rest_.empty()) return false;
      if (!escaped && (rest_.front() == '\r' || rest_.front() == '\n')) return false;
      rest_.remove_prefix(1);
    }
    return false;
  }

 private:
  static bool IsTokenByte(char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  }

  std::string_view rest_;
};

// The parameters after the type; a semicolon at the end is no error, the same name twice is.
bool ParametersAreWellFormed(MediaTypeReader& reader) {
  std::set<std::string> names;
  while (!reader.done()) {
    if (!reader.Take(';')) return false;
    reader.SkipBlanks();
    if (reader.done()) return true;
    const std::string name = absl::AsciiStrToLower(ToAbsl(reader.Token()));
    if (name.empty() || !names.insert(name).second) return false;
    reader.SkipBlanks();
    if (!reader.Take('=')) return false;
    reader.SkipBlanks();
    if (!reader.Value()) return false;
    reader.SkipBlanks();
  }
  return true;
}

absl::StatusOr<ScrapeProtocol> Fallback(const ScrapeJob& job, std::string_view problem) {
  if (job.has_fallback_protocol) return job.fallback_protocol;
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(problem), " and no fallback_scrape_protocol is set for the target"));
}

}  // namespace

std::string AcceptHeader(std::span<const ScrapeProtocol> protocols) {
  std::string header;
  int weight = kFirstWeight;
  for (const ScrapeProtocol protocol : protocols) {
    absl::StrAppend(&header, ToAbsl(MediaRange(protocol)), ";q=0.", weight--, ",");
  }
  absl::StrAppend(&header, "*/*;q=0.", weight);
  return header;
}

std::string TimeoutHeader(absl::Duration timeout) {
  std::array<char, 64> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                    absl::ToDoubleSeconds(timeout), std::chars_format::fixed);
  return std::string(buffer.data(), result.ptr);
}

absl::StatusOr<std::string> ParseMediaType(std::string_view content_type) {
  const auto malformed = [&] {
    return absl::InvalidArgumentError(absl::StrCat("malformed media type ", Shown(content_type)));
  };
  MediaTypeReader reader(content_type);
  reader.SkipBlanks();
  std::string type = absl::AsciiStrToLower(ToAbsl(reader.Token()));
  if (type.empty()) return malformed();
  if (reader.Take('/')) {
    const std::string_view subtype = reader.Token();
    if (subtype.empty()) return malformed();
    absl::StrAppend(&type, "/", absl::AsciiStrToLower(ToAbsl(subtype)));
  }
  reader.SkipBlanks();
  if (!ParametersAreWellFormed(reader)) return malformed();
  return type;
}

absl::StatusOr<ScrapeProtocol> ProtocolOf(std::string_view content_type, const ScrapeJob& job) {
  if (content_type.empty()) return Fallback(job, "the target sends no Content-Type");
  const absl::StatusOr<std::string> type = ParseMediaType(content_type);
  if (!type.ok()) {
    return Fallback(job, absl::StrCat("cannot parse the Content-Type ", Shown(content_type)));
  }
  if (*type == "text/plain") return ScrapeProtocol::kText004;
  if (*type == "application/openmetrics-text") return ScrapeProtocol::kOpenMetrics100;
  if (*type == "application/vnd.google.protobuf") {
    return absl::InvalidArgumentError("the target answers in protobuf, which was not offered");
  }
  return Fallback(job, absl::StrCat("unsupported Content-Type ", Shown(content_type)));
}

std::string_view ProtocolName(ScrapeProtocol protocol) {
  switch (protocol) {
    case ScrapeProtocol::kText004:
      return "PrometheusText0.0.4";
    case ScrapeProtocol::kText100:
      return "PrometheusText1.0.0";
    case ScrapeProtocol::kOpenMetrics001:
      return "OpenMetricsText0.0.1";
    case ScrapeProtocol::kOpenMetrics100:
      return "OpenMetricsText1.0.0";
  }
  return "";
}

}  // namespace ampari
