#include "bench/mesh/fault.h"

#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"

namespace ampari::bench {
namespace {

constexpr std::array<std::pair<Fault, std::string_view>, 7> kNames = {{
    {Fault::kNone, "none"},
    {Fault::kStatus, "status"},
    {Fault::kBadLine, "badline"},
    {Fault::kCut, "cut"},
    {Fault::kSlow, "slow"},
    {Fault::kCrlf, "crlf"},
    {Fault::kDuplicate, "duplicate"},
}};

std::string WithCrlf(const std::string& body) {
  std::string out;
  out.reserve(body.size() + body.size() / 64);
  for (const char c : body) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

// The middle of the body, at the beginning of a line.
size_t Middle(const std::string& body) {
  const size_t end = body.find('\n', body.size() / 2);
  return end == std::string::npos ? body.size() : end + 1;
}

// Repeats ten sample lines from the middle at the end, each with another value.
void AppendDuplicates(std::string& body) {
  size_t at = Middle(body);
  std::string repeated;
  for (int left = 10; left > 0 && at < body.size();) {
    const size_t end = body.find('\n', at);
    const std::string_view line = std::string_view(body).substr(at, end - at);
    at = end + 1;
    if (line.starts_with('#')) continue;
    repeated += line.substr(0, line.rfind(' '));
    repeated += " 4711\n";
    --left;
  }
  body += repeated;
}

}  // namespace

std::string_view FaultName(Fault fault) { return kNames[static_cast<size_t>(fault)].second; }

absl::StatusOr<Fault> ParseFault(std::string_view name) {
  std::string all;
  for (const auto& [fault, known] : kNames) {
    if (known == name) return fault;
    absl::StrAppend(&all, " ", ToAbsl(known));
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown fault ", ToAbsl(name), "; known:", all));
}

bool IsServed(Fault fault) { return fault == Fault::kNone || fault == Fault::kDuplicate; }

Fault DrawFault(const FaultShares& shares, RandomStream& random) {
  double draw = random.Unit();
  for (const auto& [fault, share] : shares) {
    if (draw < share) return fault;
    draw -= share;
  }
  return Fault::kNone;
}

std::string Spoil(Fault fault, std::string body, size_t* told_length) {
  *told_length = 0;
  switch (fault) {
    case Fault::kNone:
    case Fault::kStatus:
    case Fault::kSlow:
      break;
    case Fault::kBadLine:
      body.insert(Middle(body), "this is no exposition {\n");
      break;
    case Fault::kCut:
      *told_length = body.size();
      body.resize(Middle(body) + 3);
      break;
    case Fault::kCrlf:
      return WithCrlf(body);
    case Fault::kDuplicate:
      AppendDuplicates(body);
      break;
  }
  return body;
}

}  // namespace ampari::bench
