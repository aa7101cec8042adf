// FileKey: what a log file is known by, whatever its name, inode or compression. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/frame/log_frame.h"

namespace ampari {

// No more of the first line tells files apart.
inline constexpr size_t kFileHeadBytes = 1024;

struct FileKey {
  std::array<char, kLogFileKeyBytes> bytes{};

  std::string_view view() const { return {bytes.data(), bytes.size()}; }
  friend bool operator==(const FileKey&, const FileKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const FileKey& key) {
    return H::combine(std::move(h), key.view());
  }
};

// nullopt unless `bytes` has the length of a key.
std::optional<FileKey> FileKeyFromBytes(std::string_view bytes);
std::string FileKeyHex(const FileKey& key);  // 32 digits

// The first line of what a file begins with, without its newline and cut at kFileHeadBytes.
// nullopt: `beginning` has neither a whole line nor so many bytes, so the file has no identity yet.
std::optional<std::string_view> FileHead(std::string_view beginning);

// xxh3 (128 bits) of the name of the pod's directory, the name of the container's, and the head. A
// file that was written anew with the same first line, as happens where lines have no time, is
// another `generation`.
FileKey MakeFileKey(std::string_view pod, std::string_view container, std::string_view head,
                    uint32_t generation = 0);

// "<pod directory>" and "<container directory>" of <…>/<pod>/<container>; empty where absent.
struct LogOwner {
  std::string_view pod, container;
};
LogOwner OwnerOfDirectory(std::string_view directory);

}  // namespace ampari
