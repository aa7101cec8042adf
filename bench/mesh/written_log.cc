#include "bench/mesh/written_log.h"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bench/mesh/proxy_lines.h"
#include "common/runtime/absl_view.h"

namespace ampari::bench {
namespace {

using Fields = std::vector<std::string>;

bool ReadLine(const Fields& fields, WrittenContainer* container) {
  WrittenLine line;
  line.dangling = fields[0] == "P";
  line.is_stderr = fields[2] == "e";
  const bool read = absl::SimpleAtoi(fields[3], &line.time_ns) &&
                    absl::SimpleAtoi(fields[4], &line.number) &&
                    absl::SimpleHexAtoi(fields[5], &line.hash);
  container->lines.push_back(line);
  return read;
}

bool ReadGone(const Fields& fields, WrittenContainer* container) {
  LineRange range;
  const bool read =
      absl::SimpleAtoi(fields[2], &range.first) && absl::SimpleAtoi(fields[3], &range.last);
  container->gone.push_back(range);
  return read;
}

bool ReadRecord(const std::string& text, std::vector<WrittenContainer>* containers) {
  const Fields fields = absl::StrSplit(text, ' ');
  uint32_t number = 0;
  if (fields.size() < 4 || !absl::SimpleAtoi(fields[1], &number)) return false;
  if (fields[0] == "C" && fields.size() == 6 && number == containers->size() + 1) {
    containers->push_back({fields[2], fields[3], fields[4], fields[5], {}, {}});
    return true;
  }
  if (number == 0 || number > containers->size()) return false;
  WrittenContainer& container = (*containers)[number - 1];
  if ((fields[0] == "L" || fields[0] == "P") && fields.size() == 6) {
    return ReadLine(fields, &container);
  }
  return fields[0] == "G" && fields.size() == 4 && ReadGone(fields, &container);
}

}  // namespace

uint64_t LineHash(std::string_view text) {
  const std::string mended = MendedText(text);
  return XXH3_64bits(mended.data(), mended.size());
}

absl::StatusOr<std::unique_ptr<WrittenLog>> WrittenLog::Create(const std::string& path) {
  UniqueFd fd;
  if (!path.empty()) {
    fd = UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!fd) return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno)));
  }
  return std::unique_ptr<WrittenLog>(new WrittenLog(std::move(fd)));
}

void WrittenLog::AddContainer(uint32_t container, const Pod& pod, const std::string& name) {
  absl::StrAppend(&pending_, "C ", container, " ", pod.namespace_name, " ", pod.name, " ", pod.uid,
                  " ", name, "\n");
}

void WrittenLog::AddLine(uint32_t container, const WrittenLine& line) {
  if (!fd_) return;
  absl::StrAppend(&pending_, line.dangling ? "P " : "L ", container, line.is_stderr ? " e " : " o ",
                  line.time_ns, " ", line.number, " ", absl::Hex(line.hash), "\n");
}

void WrittenLog::AddGone(uint32_t container, LineRange lines) {
  absl::StrAppend(&pending_, "G ", container, " ", lines.first, " ", lines.last, "\n");
}

absl::Status WrittenLog::Flush() {
  const std::string pending = std::exchange(pending_, {});
  std::string_view rest = pending;
  while (fd_ && !rest.empty()) {
    const ssize_t n = ::write(fd_.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return absl::UnavailableError(std::strerror(errno));
    rest.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<WrittenContainer>> ReadWrittenLog(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  std::vector<WrittenContainer> containers;
  std::string record;
  while (std::getline(file, record) && !file.eof()) {
    if (!ReadRecord(record, &containers)) {
      return absl::DataLossError(absl::StrCat(path, ": ", record));
    }
  }
  return containers;
}

}  // namespace ampari::bench
