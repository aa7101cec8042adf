#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "bench/mesh/scrape_log.h"

namespace ampari::bench {
namespace {

constexpr uint64_t kMaxBodyBytes = uint64_t{256} << 20;

// The text of `"name":value` in a line that ScrapeLog wrote, without quotes.
std::string_view Member(std::string_view line, const std::string& name) {
  const std::string key = "\"" + name + "\":";
  const size_t at = line.find(key);
  if (at == std::string_view::npos) return {};
  std::string_view value = line.substr(at + key.size());
  if (value.starts_with('"')) return value.substr(1, value.find('"', 1) - 1);
  return value.substr(0, value.find_first_of(",}"));
}

template <typename T>
bool ReadMember(std::string_view line, const char* name, T* number, int base = 10) {
  const std::string_view text = Member(line, name);
  const char* end = text.data() + text.size();
  return !text.empty() && std::from_chars(text.data(), end, *number, base).ptr == end;
}

bool ParseLine(std::string_view line, ServedScrape* scrape) {
  scrape->address = std::string(Member(line, "address"));
  scrape->pod = std::string(Member(line, "pod"));
  const absl::StatusOr<Fault> fault = ParseFault(Member(line, "fault"));
  if (!fault.ok() || scrape->address.empty()) return false;
  scrape->fault = *fault;
  return ReadMember(line, "step", &scrape->step) && ReadMember(line, "time_ms", &scrape->time_ms) &&
         ReadMember(line, "status", &scrape->status) &&
         ReadMember(line, "samples", &scrape->samples) &&
         ReadMember(line, "bytes", &scrape->bytes) && ReadMember(line, "xxh", &scrape->xxh, 16) &&
         ReadMember(line, "body_offset", &scrape->body_offset) &&
         ReadMember(line, "body_size", &scrape->body_size);
}

}  // namespace

absl::StatusOr<std::vector<ServedScrape>> ReadScrapeLog(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::UnavailableError(absl::StrCat("cannot read ", path));
  std::vector<ServedScrape> scrapes;
  std::string line;
  while (std::getline(file, line)) {
    if (file.eof()) break;  // cut: the process died while it wrote
    ServedScrape scrape;
    if (!ParseLine(line, &scrape)) {
      return absl::DataLossError(absl::StrCat(path, " line ", scrapes.size() + 1));
    }
    scrapes.push_back(std::move(scrape));
  }
  return scrapes;
}

absl::StatusOr<BodyFile> BodyFile::Open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd)
    return absl::UnavailableError(absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  return BodyFile(std::move(fd));
}

absl::StatusOr<std::string> BodyFile::Read(const ServedScrape& scrape) const {
  const auto broken = [&] {
    return absl::DataLossError(absl::StrCat("the body of ", scrape.address, " step ", scrape.step));
  };
  if (scrape.bytes > kMaxBodyBytes || scrape.body_size > ZSTD_compressBound(kMaxBodyBytes))
    return broken();
  std::string compressed(scrape.body_size, '\0');
  const ssize_t got = ::pread(fd_.get(), compressed.data(), compressed.size(),
                              static_cast<off_t>(scrape.body_offset));
  if (got != static_cast<ssize_t>(compressed.size())) return broken();
  std::string body(scrape.bytes, '\0');
  const size_t size =
      ZSTD_decompress(body.data(), body.size(), compressed.data(), compressed.size());
  if (size != body.size() || XXH3_64bits(body.data(), body.size()) != scrape.xxh) return broken();
  return body;
}

}  // namespace ampari::bench
