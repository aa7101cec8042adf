#include "gateway/store/wal_links.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace ampari {
namespace {

namespace fs = std::filesystem;

absl::Status SyncFile(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno)));
  int failed = ::fdatasync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (failed == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("sync of ", path, ": ", std::strerror(failed)));
}

}  // namespace

absl::Status KeepWals(const std::string& database, const std::string& aside) {
  std::error_code error;
  if (!fs::exists(database, error)) return absl::OkStatus();
  fs::create_directories(aside, error);
  if (error) return absl::UnavailableError(absl::StrCat(aside, ": ", error.message()));
  for (const fs::directory_entry& entry : fs::directory_iterator(database, error)) {
    if (entry.path().extension() != ".log") continue;
    absl::Status synced = SyncFile(entry.path().string());
    if (!synced.ok()) return synced;
    fs::path link = fs::path(aside) / entry.path().filename();
    std::error_code ignored;
    fs::remove(link, ignored);
    fs::create_hard_link(entry.path(), link, error);
    if (error) return absl::UnavailableError(absl::StrCat(link.string(), ": ", error.message()));
  }
  return absl::OkStatus();
}

void RemoveWalLinks(const std::string& aside) {
  std::error_code ignored;
  fs::remove_all(aside, ignored);
}

}  // namespace ampari
