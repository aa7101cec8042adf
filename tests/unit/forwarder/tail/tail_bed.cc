#include "tests/unit/forwarder/tail/tail_bed.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"

namespace ampari {

void ModelGateway::Connect(absl::Duration producer_age) {
  ring_.clear();
  retiring_.clear();
  directions_.clear();
  LogDirections all;
  all.round = ++round_;
  all.all = true;
  all.producer_age = producer_age;
  for (const auto& [key, position] : positions) all.files.push_back({key, position, true});
  directions_.push_back(std::move(all));
}

std::optional<LogDirections> ModelGateway::TakeDirections() {
  if (directions_.empty()) return std::nullopt;
  LogDirections next = std::move(directions_.front());
  directions_.pop_front();
  return next;
}

bool ModelGateway::Push(LogFlush flush) {
  if (flush.round != round_) return false;
  most_files = std::max(most_files, flush.files.size());
  ring_.push_back(std::move(flush));
  return true;
}

void ModelGateway::Retire(const std::vector<std::string>& keys) {
  retiring_.insert(retiring_.end(), keys.begin(), keys.end());
}

bool ModelGateway::Admit(const LogFlush& flush, std::vector<FileStart>* refused) const {
  for (const LogFilePart& part : flush.files) {
    const auto stored = positions.find(part.key);
    if (stored == positions.end()) {
      if (!part.first) refused->push_back({part.key, part.from, false});
    } else if (stored->second != part.from) {
      refused->push_back({part.key, stored->second, true});
    }
  }
  return refused->empty();
}

void ModelGateway::Store(const LogFlush& flush) {
  LogFrameDecoder decoder;
  const auto streams = decoder.Decode(flush.frame, size_t{64} << 20);
  ASSERT_TRUE(streams.ok()) << streams.status();
  for (const LogStream& stream : *streams) {
    for (const LogEntry& entry : stream.entries) {
      lines.push_back({stream.labels, entry.time_ns, std::string(entry.line)});
    }
  }
  for (const LogFilePart& part : flush.files) {
    positions[part.key] = part.upto;
    if (part.first) names[part.key] = part.name;
  }
}

bool ModelGateway::Settle() {
  while (!ring_.empty()) {
    std::vector<FileStart> refused;
    if (refuse_next && !ring_.front().files.empty()) {
      refuse_next = false;
      for (const LogFilePart& part : ring_.front().files) {
        const auto stored = positions.find(part.key);
        const bool known = stored != positions.end();
        refused.push_back({part.key, known ? stored->second : part.from, known});
      }
    } else if (Admit(ring_.front(), &refused)) {
      Store(ring_.front());
      ring_.pop_front();
      continue;
    } else {
      ++refusals;
    }
    // What was pushed behind it is read again too, from where it began.
    std::set<std::string> named;
    for (const FileStart& file : refused) named.insert(file.key);
    for (const LogFlush& flush : ring_) {
      for (const LogFilePart& part : flush.files) {
        if (!named.insert(part.key).second) continue;
        refused.push_back({part.key, part.from, !part.first});
      }
    }
    ring_.clear();
    directions_.push_back({++round_, false, std::move(refused), {}});
    return false;
  }
  for (const std::string& key : retiring_) positions.erase(key);
  retired.insert(retired.end(), retiring_.begin(), retiring_.end());
  retiring_.clear();
  return true;
}

TailBed::TailBed() : root_(directory_.File("pods")) {
  std::filesystem::create_directories(root_);
  links.pods = {root_};
  links.files = {directory_.File("docker")};
}

std::string TailBed::Container(const std::string& pod, const std::string& container) {
  const std::string path = absl::StrCat(root_, "/", pod, "/", container);
  std::filesystem::create_directories(path);
  return path;
}

void TailBed::Start(const std::string& pattern, LogStart start) {
  engine_.reset();
  LogTailerOptions options;
  options.clock = &clock;
  options.take_directions = [this] { return gateway.TakeDirections(); };
  options.has_room = [this] { return gateway.HasRoom(); };
  options.push = [this](LogFlush flush) { return gateway.Push(std::move(flush)); };
  options.retire = [this](const std::vector<std::string>& keys) { gateway.Retire(keys); };
  options.superseded = [this] { return superseded; };
  options.flush_bytes = flush_bytes;
  options.links = links;
  engine_ = std::make_unique<TailEngine>(std::move(options));
  gateway.Connect(producer_age);
  Apply({pattern}, start);
}

void TailBed::Kill() { engine_.reset(); }

void TailBed::Apply(const std::vector<std::string>& patterns, LogStart start) {
  auto job = std::make_shared<LogJob>();
  job->job_name = "test";
  job->lines = limits;
  job->start = start;
  LogTargetSet set;
  set.job_names = {"test"};
  for (const std::string& pattern : patterns) {
    LogTarget target;
    target.job = job;
    target.labels = Labels({{"job", "test"}});
    target.path = pattern.starts_with('/') ? pattern : absl::StrCat(root_, "/", pattern);
    target.id = target.path;
    set.targets.push_back(std::move(target));
  }
  engine_->Apply(std::move(set));
}

void TailBed::Run(absl::Duration time) {
  const absl::Duration until = clock.Monotonic() + time;
  while (true) {
    engine_->Step();
    gateway.Settle();
    if (clock.Monotonic() >= until) return;
    clock.Advance(absl::Milliseconds(10));
    producer_age += absl::Milliseconds(10);
  }
}

std::vector<std::string> TailBed::texts() const {
  std::vector<std::string> texts;
  for (const ModelGateway::Line& line : gateway.lines) texts.push_back(line.text);
  return texts;
}

std::string TailBed::Cri(std::string_view text, std::string_view output, std::string_view tag) {
  const absl::Time now = clock.Now() + absl::Nanoseconds(++line_ns_);
  return absl::StrCat(absl::FormatTime("%Y-%m-%d%ET%H:%M:%E9SZ", now, absl::UTCTimeZone()), " ",
                      ToAbsl(output), " ", ToAbsl(tag), " ", ToAbsl(text), "\n");
}

void AppendFile(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::app | std::ios::binary) << text;
}

void WriteGz(const std::string& path, std::string_view text) {
  gzFile file = gzopen(path.c_str(), "wb1");
  ASSERT_NE(file, nullptr);
  if (!text.empty()) gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
}

std::string ReadWhole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace ampari
