#include "bench/mesh/scrape_log.h"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/runtime/absl_view.h"

namespace ampari::bench {
namespace {

absl::Status FileError(std::string_view what, const std::string& path) {
  return absl::UnavailableError(absl::StrCat(ToAbsl(what), " ", path, ": ", std::strerror(errno)));
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

absl::StatusOr<UniqueFd> CreateFile(const std::string& path) {
  if (path.empty()) return UniqueFd();
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return FileError("cannot create", path);
  return fd;
}

std::string Compress(std::string_view body) {
  std::string out(ZSTD_compressBound(body.size()), '\0');
  const size_t size = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), 1);
  out.resize(ZSTD_isError(size) != 0 ? 0 : size);
  return out;
}

std::string LogLine(const ServedScrape& s) {
  return absl::StrFormat(
      "{\"address\":\"%s\",\"pod\":\"%s\",\"step\":%d,\"time_ms\":%d,\"status\":%d,\"fault\":\"%"
      "s\","
      "\"samples\":%d,\"bytes\":%d,\"xxh\":\"%016x\",\"body_offset\":%d,\"body_size\":%d}\n",
      s.address, s.pod, s.step, s.time_ms, s.status, std::string(FaultName(s.fault)), s.samples,
      s.bytes, s.xxh, s.body_offset, s.body_size);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ScrapeLog>> ScrapeLog::Create(const std::string& log_path,
                                                             const std::string& bodies_path) {
  absl::StatusOr<UniqueFd> log = CreateFile(log_path);
  if (!log.ok()) return log.status();
  absl::StatusOr<UniqueFd> bodies = CreateFile(bodies_path);
  if (!bodies.ok()) return bodies.status();
  return std::unique_ptr<ScrapeLog>(new ScrapeLog(*std::move(log), *std::move(bodies)));
}

absl::Status ScrapeLog::Append(ServedScrape scrape, std::string_view body) {
  if (!log_) return absl::OkStatus();
  scrape.bytes = body.size();
  scrape.xxh = XXH3_64bits(body.data(), body.size());
  const std::string compressed = bodies_ ? Compress(body) : std::string();
  MutexLock lock(mu_);
  if (!compressed.empty()) {
    scrape.body_offset = bodies_end_;
    scrape.body_size = compressed.size();
    if (!WriteAll(bodies_.get(), compressed)) return FileError("cannot write", "the bodies");
    bodies_end_ += compressed.size();
  }
  if (!WriteAll(log_.get(), LogLine(scrape))) return FileError("cannot write", "the log");
  return absl::OkStatus();
}

}  // namespace ampari::bench
