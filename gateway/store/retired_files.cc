#include "gateway/store/retired_files.h"

#include <algorithm>
#include <utility>

#include "common/runtime/check.h"

namespace ampari {

bool IsAwaited(const RetiredFile& file, const std::vector<LateSpeaker>& speakers, int64_t now_ms) {
  const int64_t age_ms = now_ms - file.retired_ms;
  if (age_ms < kLatecomerMs) return true;
  return std::any_of(speakers.begin(), speakers.end(), [&](const LateSpeaker& speaker) {
    if (speaker.number == file.by || speaker.number > file.present) return false;
    return std::min(age_ms, speaker.connected_ms) < kCaughtUpMs;
  });
}

void RetiredFiles::Add(const std::string& key, RetiredFile file) {
  Remove(key);
  by_time_.emplace(file.retired_ms, key);
  files_[key] = std::move(file);
}

bool RetiredFiles::Remove(const std::string& key) {
  const auto file = files_.find(key);
  if (file == files_.end()) return false;
  by_time_.erase({file->second.retired_ms, key});
  files_.erase(file);
  return true;
}

const RetiredFile* RetiredFiles::Stored(const std::string& key) const {
  const auto file = files_.find(key);
  return file == files_.end() ? nullptr : &file->second;
}

const RetiredFile* RetiredFiles::Find(const std::string& key, InstanceNumber instance) const {
  const RetiredFile* const file = Stored(key);
  return file != nullptr && file->by != instance ? file : nullptr;
}

std::vector<std::string> RetiredFiles::MeetLatecomer(InstanceNumber instance, int64_t now_ms) {
  std::vector<std::string> keys;
  for (auto at = by_time_.rbegin(); at != by_time_.rend(); ++at) {
    if (now_ms - at->first >= kLatecomerMs) break;
    RetiredFile& file = files_.at(at->second);
    if (file.present >= instance) continue;
    file.present = instance;
    keys.push_back(at->second);
  }
  return keys;
}

std::vector<std::string> RetiredFiles::Sweep(
    const std::function<bool(const RetiredFile&)>& awaited) {
  std::vector<std::string> keys;
  for (const auto& [key, file] : files_) {
    if (!awaited(file)) keys.push_back(key);
  }
  for (const std::string& key : keys) Remove(key);
  return keys;
}

std::string RetiredFiles::PopOldest() {
  Check(!by_time_.empty(), "only what is there goes");
  std::string key = by_time_.begin()->second;
  Remove(key);
  return key;
}

}  // namespace ampari
