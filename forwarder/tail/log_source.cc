#include "forwarder/tail/log_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "absl/memory/memory.h"
#include "forwarder/tail/file_key.h"

namespace ampari {
namespace {

absl::StatusOr<size_t> ReadPlain(int fd, uint64_t offset, std::span<char> out) {
  ssize_t n = -1;
  do {
    n = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
  } while (n < 0 && errno == EINTR);
  if (n < 0) return absl::ErrnoToStatus(errno, "cannot be read");
  return static_cast<size_t>(n);
}

}  // namespace

LogSource::LogSource(UniqueFd fd, bool compressed) : fd_(std::move(fd)) {
  if (!compressed) return;
  gz_ = std::make_unique<GzReader>(fd_.get());
  declared_size_ = GzReader::DeclaredSize(fd_.get()).value_or(0);
}

absl::StatusOr<std::unique_ptr<LogSource>> LogSource::Make(UniqueFd fd, bool compressed) {
  auto source = absl::WrapUnique(new LogSource(std::move(fd), compressed));
  if (absl::Status s = source->Refresh(); !s.ok()) return s;
  return source;
}

absl::Status LogSource::Refresh() {
  absl::StatusOr<LogStamp> stamp = StampOf(fd_.get());
  if (!stamp.ok()) return stamp.status();
  stamp_ = *stamp;
  return absl::OkStatus();
}

int64_t LogSource::born_ns() const {
  struct statx status;
  if (::statx(fd_.get(), "", AT_EMPTY_PATH, STATX_BTIME, &status) != 0 ||
      (status.stx_mask & STATX_BTIME) == 0) {
    return stamp_.modified_ns;
  }
  const int64_t born = int64_t{status.stx_btime.tv_sec} * 1'000'000'000 + status.stx_btime.tv_nsec;
  return std::min(born, stamp_.modified_ns);
}

absl::StatusOr<size_t> LogSource::ReadAt(uint64_t offset, std::span<char> out, bool* at_end) {
  if (gz_) return gz_->ReadAt(offset, out, at_end);
  absl::StatusOr<size_t> n = ReadPlain(fd_.get(), offset, out);
  *at_end = n.ok() && *n < out.size();
  return n;
}

std::optional<std::string> LogSource::ReadHead(bool final) {
  std::array<char, kFileHeadBytes> buffer;
  bool at_end = false;
  const absl::StatusOr<size_t> n = ReadAt(0, buffer, &at_end);
  if (!n.ok()) return std::nullopt;
  const std::string_view beginning(buffer.data(), *n);
  if (const auto head = FileHead(beginning)) return std::string(*head);
  if (!final || beginning.empty()) return std::nullopt;
  return std::string(beginning);
}

void LogSource::RememberHead(std::string_view head) {
  head_hash_ = XXH3_64bits(head.data(), head.size());
}

bool LogSource::HeadIsSame() {
  if (gz_ || !head_hash_) return true;
  std::array<char, kFileHeadBytes> buffer;
  const absl::StatusOr<size_t> n = ReadPlain(fd_.get(), 0, buffer);
  if (!n.ok()) return true;  // the next read tells
  const std::string_view beginning(buffer.data(), *n);
  const std::string_view head = FileHead(beginning).value_or(beginning);
  return XXH3_64bits(head.data(), head.size()) == *head_hash_;
}

}  // namespace ampari
