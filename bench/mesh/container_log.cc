#include "bench/mesh/container_log.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/runtime/absl_view.h"
#include "common/runtime/clock.h"

namespace ampari::bench {
namespace {

namespace fs = std::filesystem;

absl::Status FileError(std::string_view what, const std::string& path) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", ToAbsl(what), " ", path, ": ", std::strerror(errno)));
}

absl::StatusOr<UniqueFd> OpenLog(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (!fd) return FileError("open", path);
  return fd;
}

absl::Status Rename(const std::string& from, const std::string& to) {
  return ::rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus() : FileError("rename", from);
}

bool CopyInto(int in, gzFile out) {
  constexpr size_t kPieceBytes = size_t{256} << 10;
  std::string piece(kPieceBytes, '\0');
  ssize_t n = 0;
  while ((n = ::read(in, piece.data(), piece.size())) > 0) {
    if (::gzwrite(out, piece.data(), static_cast<unsigned>(n)) != n) return false;
  }
  return n == 0;
}

// <f>.tmp is written, renamed to <f>.gz, and <f> removed.
absl::Status Compress(const std::string& path) {
  const UniqueFd in(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) return FileError("open", path);
  const std::string half_done = path + ".tmp";
  gzFile out = ::gzopen(half_done.c_str(), "wb1");
  if (out == nullptr) return FileError("create", half_done);
  const bool copied = CopyInto(in.get(), out);
  if (::gzclose(out) != Z_OK || !copied) return FileError("write", half_done);
  if (absl::Status renamed = Rename(half_done, path + ".gz"); !renamed.ok()) return renamed;
  return ::unlink(path.c_str()) == 0 ? absl::OkStatus() : FileError("remove", path);
}

}  // namespace

ContainerLog::ContainerLog(const std::string& root, const Pod& pod, const std::string& container,
                           NewFile new_file)
    : pod_directory_(absl::StrCat(root, "/", pod.namespace_name, "_", pod.name, "_", pod.uid)),
      directory_(absl::StrCat(pod_directory_, "/", container)),
      new_file_(new_file) {}

std::string ContainerLog::Path() const { return absl::StrCat(directory_, "/", restarts_, ".log"); }

absl::Status ContainerLog::Open() {
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) return absl::UnavailableError(absl::StrCat(directory_, ": ", error.message()));
  return Reopen();
}

absl::Status ContainerLog::Reopen() {
  const bool in_place = new_file_ == NewFile::kInPlace;
  const std::string path = in_place ? Path() : Path() + ".tmp";
  absl::StatusOr<UniqueFd> fd = OpenLog(path);
  if (!fd.ok()) return fd.status();
  const absl::Status renamed = in_place ? absl::OkStatus() : Rename(path, Path());
  if (!renamed.ok()) return renamed;
  fd_ = *std::move(fd);
  if (renamed_) rotated_.back().lines = lines_;
  renamed_ = false;
  size_ = 0;
  lines_ = {};
  return absl::OkStatus();
}

absl::Status ContainerLog::Write(std::string_view records, LineRange lines) {
  size_ += records.size();
  if (lines_.last == 0) lines_.first = lines.first;
  lines_.last = lines.last;
  while (!records.empty()) {
    const ssize_t n = ::write(fd_.get(), records.data(), records.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return FileError("write", Path());
    records.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

absl::Status ContainerLog::Remove(const OldFile& file, std::vector<LineRange>* gone) {
  if (file.lines.last > 0) gone->push_back(file.lines);
  const std::string path = file.compressed ? file.path + ".gz" : file.path;
  return ::unlink(path.c_str()) == 0 ? absl::OkStatus() : FileError("remove", path);
}

absl::Status ContainerLog::MakeRoom(int max_files, bool compress, std::vector<LineRange>* gone) {
  const auto most = static_cast<size_t>(std::max(0, max_files - 2));
  while (rotated_.size() > most) {
    if (absl::Status removed = Remove(rotated_.front(), gone); !removed.ok()) return removed;
    rotated_.erase(rotated_.begin());
  }
  for (OldFile& file : rotated_) {
    if (!compress || file.compressed) continue;
    if (absl::Status compressed = Compress(file.path); !compressed.ok()) return compressed;
    file.compressed = true;
  }
  return absl::OkStatus();
}

// Of one second each, as kubelet names them, and never twice the same.
std::string ContainerLog::NextRotatedPath() {
  last_stamp_s_ = std::max(last_stamp_s_ + 1, absl::ToUnixSeconds(SystemClock().Now()));
  return absl::StrCat(
      Path(), ".",
      absl::FormatTime("%Y%m%d-%H%M%S", absl::FromUnixSeconds(last_stamp_s_), absl::UTCTimeZone()));
}

absl::Status ContainerLog::Rotate(int max_files, bool compress, std::vector<LineRange>* gone) {
  if (absl::Status made = MakeRoom(max_files, compress, gone); !made.ok()) return made;
  rotated_.push_back({NextRotatedPath()});
  renamed_ = true;
  return Rename(Path(), rotated_.back().path);
}

absl::Status ContainerLog::CopyTruncate(int max_files, bool compress,
                                        std::vector<LineRange>* gone) {
  if (absl::Status made = MakeRoom(max_files, compress, gone); !made.ok()) return made;
  rotated_.push_back({NextRotatedPath(), false, lines_});
  std::error_code error;
  fs::copy_file(Path(), rotated_.back().path, error);
  if (error || ::ftruncate(fd_.get(), 0) != 0) return FileError("copy and truncate", Path());
  size_ = 0;
  lines_ = {};
  return absl::OkStatus();
}

absl::Status ContainerLog::Restart(std::vector<LineRange>* gone) {
  for (const OldFile& file : earlier_) {
    if (absl::Status removed = Remove(file, gone); !removed.ok()) return removed;
  }
  earlier_ = std::exchange(rotated_, {});
  earlier_.push_back({Path(), false, lines_});
  ++restarts_;
  return Reopen();
}

absl::Status ContainerLog::Delete(std::vector<LineRange>* gone) {
  for (const std::vector<OldFile>* files : {&earlier_, &rotated_}) {
    for (const OldFile& file : *files) {
      if (file.lines.last > 0) gone->push_back(file.lines);
    }
  }
  if (lines_.last > 0) gone->push_back(lines_);
  fd_ = UniqueFd();
  std::error_code error;
  fs::remove_all(pod_directory_, error);
  if (error) return absl::UnavailableError(absl::StrCat(pod_directory_, ": ", error.message()));
  return absl::OkStatus();
}

}  // namespace ampari::bench
