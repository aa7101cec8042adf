// LogSource: an open log file, plain or compressed, as bytes at offsets.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/runtime/unique_fd.h"
#include "forwarder/tail/gz_reader.h"
#include "forwarder/tail/open_beneath.h"

namespace ampari {

// Not thread-safe.
class LogSource {
 public:
  // Internal when the file cannot even be examined.
  static absl::StatusOr<std::unique_ptr<LogSource>> Make(UniqueFd fd, bool compressed);

  bool compressed() const { return gz_ != nullptr; }
  // As of the last Refresh().
  const LogStamp& stamp() const { return stamp_; }
  // Bytes that there are, uncompressed; of a compressed file as its end declares it.
  uint64_t size() const { return compressed() ? declared_size_ : stamp_.size; }
  absl::Status Refresh();
  // When the file was made, since 1970; where the file system does not tell, when it was written.
  int64_t born_ns() const;

  // Bytes at `offset`, as many as there are up to `out`. None and not *at_end: call again.
  absl::StatusOr<size_t> ReadAt(uint64_t offset, std::span<char> out, bool* at_end);
  // Gives back what a compressed file needs in memory; the next read begins anew.
  void Release() {
    if (gz_) gz_->Release();
  }
  // Why a compressed file ended before its end.
  absl::Status damage() const { return gz_ ? gz_->error() : absl::OkStatus(); }

  // The first line, of at most kFileHeadBytes; nullopt: not there yet. `final`: the file will not
  // grow, so whatever there is, if anything.
  std::optional<std::string> ReadHead(bool final);
  // From now on HeadIsSame() compares with this.
  void RememberHead(std::string_view head);
  // False: the file was written anew since. Compressed files are not.
  bool HeadIsSame();

 private:
  LogSource(UniqueFd fd, bool compressed);

  UniqueFd fd_;
  std::unique_ptr<GzReader> gz_;
  uint64_t declared_size_ = 0;
  LogStamp stamp_;
  std::optional<uint64_t> head_hash_;
};

}  // namespace ampari
