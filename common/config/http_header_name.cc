#include "common/config/http_header_name.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"

namespace ampari {
namespace {

// Prometheus' reserved headers.
constexpr std::string_view kReserved[] = {
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
    "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version",
    "x-prometheus-scrape-timeout-seconds",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
};

bool IsTokenCharacter(char c) {
  constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         kPunctuation.find(c) != std::string_view::npos;
}

}  // namespace

std::string HeaderNameProblem(std::string_view name) {
  if (name.empty() || !std::all_of(name.begin(), name.end(), IsTokenCharacter))
    return "not a valid header name";
  const std::string lower = absl::AsciiStrToLower(std::string(name));
  if (lower == "authorization")
    return "the Authorization header is set by basic_auth or authorization, not here";
  if (std::find(std::begin(kReserved), std::end(kReserved), lower) != std::end(kReserved)) {
    return "a reserved header, which must not be changed; remove it";
  }
  return "";
}

bool IsHeaderValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

}  // namespace ampari
