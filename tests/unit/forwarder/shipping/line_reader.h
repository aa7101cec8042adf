// LineReader: a reader of log files reduced to what the shipper needs: files of numbered lines, a
// position is a count of lines, and line 17 of file a is "a 17". What a store then holds tells
// which lines were lost or doubled.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/frame/log_frame.h"
#include "forwarder/shipping/log_directions.h"

namespace ampari {

inline std::string LineFileKey(char file) { return std::string(kLogFileKeyBytes, file); }

// What is written, whoever reads it.
struct LineDisk {
  struct File {
    uint64_t size = 0;
    bool finished = false;  // nothing is written any more
    bool gone = false;
  };
  std::map<char, File> files;
};

// Not thread-safe. A process's: it knows nothing before its first directions.
class LineReader {
 public:
  explicit LineReader(const LineDisk& disk) : disk_(disk) {}

  void Take(const LogDirections& directions) {
    round_ = directions.round;
    if (directions.all) files_.clear();
    for (const FileStart& start : directions.files) {
      File& file = files_[start.key[0]];
      file = {start.from.out, start.known, false, true};
    }
    for (auto& [name, file] : files_) file.directed &= directions.all || Names(directions, name);
  }
  // The next lines of some files; nullopt: there are none. With `directed_only` just of files that
  // the last directions named.
  std::optional<LogFlush> Read(std::mt19937_64& random, bool directed_only) const {
    if (round_ == 0) return std::nullopt;
    LogFrameBuilder builder;
    LogFlush flush;
    for (const auto& [name, written] : disk_.files) {
      const auto known = files_.find(name);
      const File file = known == files_.end() ? File() : known->second;
      if (written.gone || file.at >= written.size || random() % 3 == 0) continue;
      if (directed_only && !file.directed) continue;
      const uint64_t upto = file.at + 1 + random() % std::min<uint64_t>(written.size - file.at, 9);
      flush.files.push_back({LineFileKey(name), !file.known, {file.at, 0}, {upto, 0}, "f"});
      builder.BeginStream(Labels{{"file", std::string(1, name)}});
      for (uint64_t line = file.at; line < upto; ++line)
        builder.AddLine(static_cast<int64_t>(line), absl::StrCat(std::string(1, name), " ", line));
      builder.AddFile(flush.files.back());
    }
    if (flush.files.empty()) return std::nullopt;
    flush.round = round_;
    flush.lines = builder.lines();
    flush.frame = builder.Finish(1);
    return flush;
  }
  void OnPushed(const LogFlush& flush) {
    for (const LogFilePart& part : flush.files) {
      File& file = files_[part.key[0]];
      file.at = part.upto.out;
      file.known = true;
      file.retired = false;
    }
  }
  // The files that are gone since the last call.
  std::vector<std::string> Gone() {
    std::vector<std::string> keys;
    for (auto& [name, file] : files_) {
      const auto written = disk_.files.find(name);
      if (written == disk_.files.end() || !written->second.gone || file.retired) continue;
      file.retired = true;
      keys.push_back(LineFileKey(name));
    }
    return keys;
  }
  bool AtEnd() const {
    for (const auto& [name, written] : disk_.files) {
      const auto file = files_.find(name);
      if (written.gone || written.size == 0) continue;
      if (file == files_.end() || file->second.at < written.size) return false;
    }
    return round_ != 0;
  }

 private:
  struct File {
    uint64_t at = 0;
    bool known = false, retired = false, directed = false;
  };
  static bool Names(const LogDirections& directions, char name) {
    for (const FileStart& start : directions.files) {
      if (start.key[0] == name) return true;
    }
    return false;
  }

  const LineDisk& disk_;
  std::map<char, File> files_;
  uint64_t round_ = 0;
};

// The lines of a frame, as file and number.
inline std::vector<std::pair<char, uint64_t>> LinesOf(std::string_view frame) {
  std::vector<std::pair<char, uint64_t>> lines;
  LogFrameDecoder decoder;
  const auto streams = decoder.Decode(frame, size_t{1} << 20);
  if (!streams.ok()) return lines;
  for (const LogStream& stream : *streams) {
    for (const LogEntry& entry : stream.entries)
      lines.emplace_back(entry.line[0], std::stoull(std::string(entry.line.substr(2))));
  }
  return lines;
}

}  // namespace ampari
