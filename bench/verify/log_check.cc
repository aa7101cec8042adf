#include "bench/verify/log_check.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/http/json_writer.h"

namespace ampari::bench {
namespace {

void AddExample(LogVerifyCounts& counts, std::string text) {
  if (counts.examples.size() < LogVerifyCounts::kMaxExamples) {
    counts.examples.push_back(std::move(text));
  }
}

// One container's lines and which of them were found.
class ContainerCheck {
 public:
  ContainerCheck(const WrittenContainer& container, LogVerifyCounts& counts)
      : container_(container), counts_(counts), found_(container.lines.size(), false) {
    for (size_t i = 0; i < container.lines.size(); ++i) {
      by_hash_[container.lines[i].hash].push_back(i);
    }
  }

  void Take(const DeliveredStream& stream) {
    uint64_t newest = 0;
    for (const DeliveredStream::Line& line : stream.lines) {
      const WrittenLine* match = Match(line, stream);
      if (match == nullptr) continue;
      if (match->number < newest) {
        ++counts_.out_of_order;
        AddExample(counts_, absl::StrCat("out of order: ", Name(*match), " after line ", newest,
                                         " in ", stream.selector));
      }
      newest = std::max(newest, match->number);
    }
  }

  void Finish() {
    for (size_t i = 0; i < found_.size(); ++i) {
      const WrittenLine& line = container_.lines[i];
      if (found_[i]) continue;
      if (line.dangling) {
        ++counts_.missing_dangling;
      } else if (IsGone(line.number)) {
        ++counts_.missing_gone;
      } else {
        ++counts_.missing;
        AddExample(counts_, absl::StrCat("missing: ", Name(line)));
      }
    }
  }

 private:
  const WrittenLine* Match(const DeliveredStream::Line& line, const DeliveredStream& stream) {
    const auto candidates = by_hash_.find(line.hash);
    const auto note = [&](uint64_t& count, const char* what) {
      ++count;
      AddExample(counts_,
                 absl::StrCat(what, ": a line at ", line.time_ns, " of ", stream.selector));
      return nullptr;
    };
    if (candidates == by_hash_.end()) return note(counts_.unknown, "never written");
    bool same_time = false;
    for (const size_t at : candidates->second) {
      if (container_.lines[at].time_ns != line.time_ns) continue;
      same_time = true;
      if (found_[at]) continue;
      found_[at] = true;
      ++counts_.verified;
      return &container_.lines[at];
    }
    if (same_time) return note(counts_.doubled, "doubled");
    return note(counts_.wrong_time, "at another time");
  }

  bool IsGone(uint64_t number) const {
    return std::any_of(container_.gone.begin(), container_.gone.end(), [&](const LineRange& range) {
      return range.first <= number && number <= range.last;
    });
  }

  std::string Name(const WrittenLine& line) const {
    return absl::StrCat(container_.namespace_name, "/", container_.pod, " line ", line.number,
                        line.is_stderr ? " of stderr at " : " of stdout at ", line.time_ns);
  }

  const WrittenContainer& container_;
  LogVerifyCounts& counts_;
  std::vector<bool> found_;
  std::unordered_map<uint64_t, std::vector<size_t>> by_hash_;
};

std::string Key(const std::string& namespace_name, const std::string& pod,
                const std::string& container) {
  return absl::StrCat(namespace_name, "/", pod, "/", container);
}

}  // namespace

LogVerifyCounts VerifyLogs(const std::vector<WrittenContainer>& written,
                           const DeliveredLogs& delivered) {
  LogVerifyCounts counts;
  counts.doubled = delivered.doubles;
  std::multimap<std::string, const DeliveredStream*> streams;
  for (const DeliveredStream& stream : delivered.streams) {
    counts.delivered += stream.lines.size();
    streams.emplace(Key(stream.namespace_name, stream.pod, stream.container), &stream);
  }
  for (const WrittenContainer& container : written) {
    counts.written += container.lines.size();
    ContainerCheck check(container, counts);
    const std::string key = Key(container.namespace_name, container.pod, container.name);
    const auto [begin, end] = streams.equal_range(key);
    for (auto at = begin; at != end; ++at) check.Take(*at->second);
    streams.erase(begin, end);
    check.Finish();
  }
  for (const auto& [key, stream] : streams) {
    counts.unknown += stream->lines.size();
    AddExample(counts, absl::StrCat("of no container: ", stream->selector));
  }
  return counts;
}

std::string LogVerifyCounts::ToJson() const {
  JsonWriter out;
  out.BeginObject()
      .Field("written", written)
      .Field("delivered", delivered)
      .Field("verified", verified)
      .Field("missing", missing)
      .Field("missing_gone", missing_gone)
      .Field("missing_dangling", missing_dangling)
      .Field("doubled", doubled)
      .Field("wrong_time", wrong_time)
      .Field("unknown", unknown)
      .Field("out_of_order", out_of_order)
      .Key("examples")
      .BeginArray();
  for (const std::string& example : examples) out.Value(example);
  out.EndArray().EndObject();
  return out.Take() + "\n";
}

}  // namespace ampari::bench
