#include "common/http/file_cache.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"

namespace ampari {

absl::StatusOr<std::string_view> FileCache::Read(const std::string& path) {
  if (!files_.contains(path) && files_.size() >= kMaxFiles) files_.clear();
  SmallFile& file = files_[path];
  const absl::StatusOr<bool> changed = RefreshSmallFile(path, &file);
  if (!changed.ok()) return absl::PermissionDeniedError(changed.status().message());
  return file.bytes;
}

absl::StatusOr<std::string> FileCache::ReadSecret(const Secret& secret) {
  if (secret.file.empty()) return secret.value;
  const absl::StatusOr<std::string_view> content = Read(secret.file);
  if (!content.ok()) return content.status();
  return std::string(absl::StripAsciiWhitespace({content->data(), content->size()}));
}

}  // namespace ampari
