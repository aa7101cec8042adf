// GzReader: a gzip file as the bytes that it holds (RFC 1952, several members one behind the
// other), inflated as they are asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"

namespace ampari {

// Not thread-safe. Memory: zlib's window and two pieces. `fd` must outlive it.
class GzReader {
 public:
  // What one call inflates at most in order to get to its offset.
  static constexpr size_t kMaxInflatedPerCall = size_t{4} << 20;
  static constexpr size_t kPieceBytes = size_t{128} << 10;

  explicit GzReader(int fd);
  ~GzReader();
  GzReader(const GzReader&) = delete;
  GzReader& operator=(const GzReader&) = delete;

  // Inflated bytes at `offset`, as many as there are up to `out`. None and not *at_end: call again.
  // An offset before what the last call began with inflates anew. A file that is no gzip, or cut or
  // damaged, ends where that shows.
  size_t ReadAt(uint64_t offset, std::span<char> out, bool* at_end);
  // Gives the memory back; the next read begins anew.
  void Release();
  // Why it ended early. OutOfRange: it is cut, so the size it declares is none. DataLoss: damaged.
  const absl::Status& error() const { return error_; }

  // Inflated size modulo 2^32 as the last member's end declares it; nullopt: too short.
  static std::optional<uint32_t> DeclaredSize(int fd);

 private:
  struct Stream;

  absl::Status Rewind();
  absl::Status InflateSome();
  void EndIfNot(const absl::Status& ok);
  absl::Status Refill();

  const int fd_;
  std::unique_ptr<Stream> stream_;
  std::string input_;
  uint64_t input_offset_ = 0;  // of the next read from fd_
  std::string window_;         // inflated bytes from window_begin_ on
  uint64_t window_begin_ = 0;
  bool ended_ = false;
  absl::Status error_;
};

}  // namespace ampari
