#include "forwarder/tail/tailed_file.h"

#include <algorithm>
#include <tuple>

namespace ampari {
namespace {

constexpr size_t kMaxStamps = 4;  // a file, its copy, its compressed form

}  // namespace

bool TailedFile::Rewind(const LogPosition& at) {
  if (reader.position() == at) return false;
  reader.Resume(at);
  finished = false;
  return true;
}

void TailedFile::SeeSize(uint64_t size, absl::Duration now) {
  if (size <= last_size) return;
  last_size = size;
  grown_at = now;
}

bool TailedFile::Knows(const LogStamp& stamp) const {
  return std::any_of(stamps.begin(), stamps.end(), [&stamp](const LogStamp& known) {
    return known.same_file(stamp) && known.size == stamp.size &&
           known.modified_ns == stamp.modified_ns;
  });
}

bool TailedFile::KnowsInode(const LogStamp& stamp) const {
  return std::any_of(stamps.begin(), stamps.end(),
                     [&stamp](const LogStamp& known) { return known.same_file(stamp); });
}

void TailedFile::Remember(const LogStamp& stamp) {
  const auto same = std::find_if(stamps.begin(), stamps.end(), [&stamp](const LogStamp& known) {
    return known.same_file(stamp);
  });
  if (same != stamps.end()) {
    *same = stamp;
    return;
  }
  if (stamps.size() == kMaxStamps) stamps.erase(stamps.begin());
  stamps.push_back(stamp);
}

bool ComesBefore(const TailedFile& a, const TailedFile& b) {
  // What has no line yet is the newest; then what is being written, whatever the clock of its lines
  // did.
  const bool a_waits = !a.key, b_waits = !b.key;
  return std::tie(a.restart, a_waits, a.writing, a.first_time_ns, a.rank, a.serial) <
         std::tie(b.restart, b_waits, b.writing, b.first_time_ns, b.rank, b.serial);
}

}  // namespace ampari
