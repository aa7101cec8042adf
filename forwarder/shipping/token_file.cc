#include "forwarder/shipping/token_file.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/small_file.h"

namespace ampari {

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  const absl::StatusOr<SmallFile> file = ReadSmallFile(path);
  if (!file.ok()) return file.status();
  std::string token = file->bytes.substr(0, file->bytes.find('\n'));
  absl::StripAsciiWhitespace(&token);
  const bool printable =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 127; });
  if (token.empty() || !printable) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": holds no token in its first line"));
  }
  return token;
}

}  // namespace ampari
