#include "forwarder/tail/line_plan.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "forwarder/tail/access_log_format.h"
#include "forwarder/tail/line_rules.h"
#include "forwarder/tail/line_streams.h"
#include "forwarder/tail/log_type.h"

namespace ampari {
namespace {

constexpr size_t kKeptFieldBytes = size_t{64} << 10;  // of buffers between two lines

// Structured metadata comes in the order of its names.
std::vector<PromotedField> ByName(std::vector<PromotedField> fields) {
  std::sort(fields.begin(), fields.end(),
            [](const PromotedField& a, const PromotedField& b) { return a.name < b.name; });
  if (fields.size() > kMaxLogMetadataPairs) fields.resize(kMaxLogMetadataPairs);
  return fields;
}

}  // namespace

class LinePlan::Core {
 public:
  Core(const LogTarget& target, LineRules rules)
      : target_(target),
        rules_(std::move(rules)),
        formats_(target.job->access.formats.empty() ? AccessLogFormat::IstioDefaults()
                                                    : target.job->access.formats),
        parses_(target.job->access.enabled || rules_.needs_fields()),
        promoted_metadata_(ByName(target.job->access.metadata)),
        streams_(target_.labels, target_.job->access.labels) {}

  LineFate Plan(const JoinedLine& line, PlannedLine* out) {
    if (line.refused) return LineFate::kTooLong;
    LogType type = ClassifyLine(line.text);
    if (parses_) type = ParseFields(line.text, type);
    const LineFate fate = rules_.Decide(line, type, fields_);
    if (fate != LineFate::kKept) return fate;
    out->labels = &streams_.Of(type, line.output, fields_);
    CollectMetadata();
    out->metadata = &metadata_;
    return fate;
  }

  uint64_t streams_refused() const { return streams_.refused(); }
  uint64_t unparsed() const { return unparsed_; }

 private:
  // Fills fields_, and gives the type of the line, which its format may tell better than its shape.
  LogType ParseFields(std::string_view line, LogType type) {
    if (fields_.buffer.capacity() > kKeptFieldBytes) fields_ = AccessFields();
    for (const AccessLogFormat& format : formats_) {
      // Any object would do as one of JSON.
      if (format.any_json() && type != LogType::kAccess) continue;
      if (format.Parse(line, &fields_)) return LogType::kAccess;
    }
    fields_.values.clear();
    if (type == LogType::kAccess) ++unparsed_;
    return type;
  }

  // Texts of the line before are overwritten, not freed.
  void CollectMetadata() {
    size_t count = 0;
    size_t room = LinePlan::kMaxMetadataBytes;
    for (const PromotedField& field : promoted_metadata_) {
      if (fields_.values.empty() || room <= field.name.size()) break;
      const std::string_view value = CutValue(fields_.Get(field.field), room - field.name.size());
      if (value.empty()) continue;
      room -= field.name.size() + value.size();
      if (count == metadata_.size()) metadata_.emplace_back();
      metadata_[count].first = field.name;
      metadata_[count].second.assign(value);
      ++count;
    }
    metadata_.resize(count);
  }

  const LogTarget target_;
  const LineRules rules_;
  const std::vector<AccessLogFormat> formats_;
  const bool parses_;
  const std::vector<PromotedField> promoted_metadata_;
  LineStreams streams_;
  AccessFields fields_;  // of the line at hand
  LogMetadata metadata_;
  uint64_t unparsed_ = 0;
};

absl::StatusOr<std::unique_ptr<LinePlan>> LinePlan::Make(const LogTarget& target) {
  absl::StatusOr<LineRules> rules = LineRules::Make(target.job->rules);
  if (!rules.ok()) return rules.status();
  return std::unique_ptr<LinePlan>(new LinePlan(std::make_unique<Core>(target, *std::move(rules))));
}

LinePlan::LinePlan(std::unique_ptr<Core> core) : core_(std::move(core)) {}
LinePlan::~LinePlan() = default;
LineFate LinePlan::Plan(const JoinedLine& line, PlannedLine* out) { return core_->Plan(line, out); }
uint64_t LinePlan::streams_refused() const { return core_->streams_refused(); }
uint64_t LinePlan::unparsed() const { return core_->unparsed(); }

}  // namespace ampari
