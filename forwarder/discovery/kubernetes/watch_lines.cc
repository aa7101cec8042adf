#include "forwarder/discovery/kubernetes/watch_lines.h"

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

std::string_view WithoutSpace(std::string_view line) {
  constexpr std::string_view kSpace = " \t\r";
  const size_t first = line.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

absl::Status WatchLines::Add(std::string_view piece, const Consumer& consumer) {
  while (!piece.empty()) {
    const size_t end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    if (rest_.size() + part.size() > kMaxLineBytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("an event of more than ", kMaxLineBytes, " bytes"));
    }
    if (end == std::string_view::npos) {
      rest_.append(part);
      return absl::OkStatus();
    }
    piece.remove_prefix(end + 1);
    std::string whole;
    std::string_view line = part;
    if (!rest_.empty()) {
      whole.swap(rest_);
      whole.append(part);
      line = whole;
    }
    line = WithoutSpace(line);
    if (line.empty()) continue;
    if (absl::Status status = consumer(line); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace ampari
