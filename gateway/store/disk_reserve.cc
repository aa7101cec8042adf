#include "gateway/store/disk_reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "gateway/store/database.h"

namespace ampari {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kBlockBytes = 512;              // of st_blocks
constexpr uint64_t kLowFree = uint64_t{16} << 20;  // of the file system, with the ballast held

std::string BallastPath(const std::string& directory) { return directory + "/ballast"; }

uint64_t AllocatedBytes(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0 || status.st_nlink == 0) return 0;
  // Hard links of logs are counted once.
  return static_cast<uint64_t>(status.st_blocks) * kBlockBytes / status.st_nlink;
}

}  // namespace

uint64_t ReserveBytes(uint64_t max_bytes) {
  return std::min(WalCap(max_bytes) + kWriteBufferBytes, max_bytes / 4);
}

uint64_t FrameLimit(uint64_t max_bytes) {
  return max_bytes - ReserveBytes(max_bytes) - WalCap(max_bytes);
}

DiskUse MeasureDisk(const std::string& directory) {
  DiskUse use;
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(directory, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->path().filename() != "ballast") use.used += AllocatedBytes(it->path().string());
  }
  struct statvfs file_system = {};
  if (::statvfs(directory.c_str(), &file_system) == 0) {
    use.free = uint64_t{file_system.f_bavail} * file_system.f_frsize;
  }
  return use;
}

ReserveState JudgeReserve(ReserveState before, const DiskUse& use, uint64_t max_bytes) {
  uint64_t reserve = ReserveBytes(max_bytes);
  if (before == ReserveState::kHeld) {
    bool reached = use.free < kLowFree || use.used > max_bytes - reserve;
    return reached ? ReserveState::kReached : ReserveState::kHeld;
  }
  bool room = use.free >= reserve + 2 * kLowFree && use.used <= max_bytes - reserve - reserve / 4;
  return room ? ReserveState::kHeld : ReserveState::kReached;
}

absl::Status HoldBallast(const std::string& directory, uint64_t bytes) {
  std::string path = BallastPath(directory);
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno)));
  int failed = ::ftruncate(fd, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
  if (failed == 0) failed = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  ::close(fd);
  if (failed == 0) return absl::OkStatus();
  ReleaseBallast(directory);
  return absl::ResourceExhaustedError(absl::StrCat(path, ": ", std::strerror(failed)));
}

void ReleaseBallast(const std::string& directory) { ::unlink(BallastPath(directory).c_str()); }

}  // namespace ampari
