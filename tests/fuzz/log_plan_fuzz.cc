// Arbitrary bytes as a line, and as an access-log format and a line of it: planned, collected into
// a frame and decoded. The first byte chooses what is set up.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/runtime/check.h"
#include "forwarder/tail/access_log_format.h"
#include "forwarder/tail/flush_collector.h"
#include "forwarder/tail/line_plan.h"

namespace ampari {
namespace {

std::unique_ptr<LinePlan> PlanOf(std::vector<AccessLogFormat> formats) {
  auto job = std::make_shared<LogJob>();
  job->access.enabled = true;
  job->access.formats = std::move(formats);
  job->access.labels = {{"method", "request_method"}, {"response_code", "response_code"}};
  job->access.metadata = {{"path", "path"}, {"route_name", "route"}, {"a.b", "nested"}};
  job->rules.resize(2);
  job->rules[0].action = LogLineRule::Action::kDrop;
  job->rules[0].field = "response_code";
  job->rules[0].regex = "3..";
  job->rules[1].action = LogLineRule::Action::kSample;
  job->rules[1].field = "log_type";
  job->rules[1].regex = "agent";
  job->rules[1].rate = 0.5;
  LogTarget target;
  target.job = std::move(job);
  target.labels = {{"pod", "web-0"}};
  return *LinePlan::Make(target);
}

// Streams and metadata of any line make a frame that can be read, with the line as it was.
void Plan(LinePlan* plan, std::string_view text, int64_t time_ns) {
  JoinedLine line;
  line.output = time_ns % 2 == 0 ? LogOutput::kStdout : LogOutput::kStderr;
  line.time_ns = time_ns;
  line.text = text;
  PlannedLine planned;
  if (plan->Plan(line, &planned) != LineFate::kKept) return;
  FlushCollector collector;
  collector.AddLine(*planned.labels, line.time_ns, line.text, *planned.metadata);
  LogFrameDecoder decoder;
  const std::string frame = collector.Finish(1).frame;
  const auto streams = decoder.Decode(frame, size_t{4} << 20);
  Check(streams.ok() && streams->size() == 1, "frames can be read");
  const LogEntry& entry = streams->front().entries.front();
  Check(entry.line == line.text && entry.metadata == *planned.metadata, "lines stay as they were");
  Check(entry.time_ns == line.time_ns, "times stay as they were");
  Check(!streams->front().labels.Get("log_type").empty(), "every line has a type");
  Check(streams->front().labels.Get("pod") == "web-0", "the target's labels stay");
}

void Run(std::string_view bytes) {
  if (bytes.empty()) return;
  static const std::unique_ptr<LinePlan> defaults = PlanOf(AccessLogFormat::IstioDefaults());
  const int64_t time_ns = static_cast<uint8_t>(bytes[0]);
  bytes.remove_prefix(1);
  Plan(defaults.get(), bytes, time_ns);
  const size_t split = bytes.find('\x1e');
  if (split == std::string_view::npos) return;
  auto format = AccessLogFormat::Text(bytes.substr(0, split));
  if (!format.ok()) return;
  const auto own = PlanOf({*std::move(format), AccessLogFormat::Json()});
  Plan(own.get(), bytes.substr(split + 1), time_ns);
}

}  // namespace
}  // namespace ampari

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  ampari::Run(std::string_view(reinterpret_cast<const char*>(bytes), size));
  return 0;
}
