#include "forwarder/tail/file_key.h"

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

// The part of `path` behind its last slash, which is taken off with it.
std::string_view TakeLast(std::string_view* path) {
  const size_t slash = path->rfind('/');
  const bool none = slash == std::string_view::npos;
  const std::string_view last = none ? *path : path->substr(slash + 1);
  *path = none ? std::string_view() : path->substr(0, slash);
  return last;
}

}  // namespace

std::optional<FileKey> FileKeyFromBytes(std::string_view bytes) {
  FileKey key;
  if (bytes.size() != key.bytes.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), key.bytes.begin());
  return key;
}

std::string FileKeyHex(const FileKey& key) { return absl::BytesToHexString(ToAbsl(key.view())); }

std::optional<std::string_view> FileHead(std::string_view beginning) {
  beginning = beginning.substr(0, kFileHeadBytes);
  const size_t newline = beginning.find('\n');
  if (newline != std::string_view::npos) return beginning.substr(0, newline);
  if (beginning.size() == kFileHeadBytes) return beginning;
  return std::nullopt;
}

FileKey MakeFileKey(std::string_view pod, std::string_view container, std::string_view head,
                    uint32_t generation) {
  // Names of directories hold no slash, so the parts cannot run into each other.
  std::string text = absl::StrCat(ToAbsl(pod), "/", ToAbsl(container), "/");
  if (generation > 0) absl::StrAppend(&text, generation, "/");
  absl::StrAppend(&text, "/", ToAbsl(head));
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(text.data(), text.size()));
  FileKey key;
  static_assert(sizeof(canonical.digest) == kLogFileKeyBytes);
  std::copy(std::begin(canonical.digest), std::end(canonical.digest), key.bytes.begin());
  return key;
}

LogOwner OwnerOfDirectory(std::string_view directory) {
  while (directory.ends_with('/')) directory.remove_suffix(1);
  LogOwner owner;
  owner.container = TakeLast(&directory);
  owner.pod = TakeLast(&directory);
  return owner;
}

}  // namespace ampari
