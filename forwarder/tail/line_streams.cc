#include "forwarder/tail/line_streams.h"

#include "common/labels/varint.h"
#include "forwarder/tail/line_plan.h"
#include "forwarder/tail/line_rules.h"

namespace ampari {
namespace {

void SetIfAbsent(std::string_view name, std::string_view value, LabelsBuilder* labels) {
  if (!labels->Has(name)) labels->Set(name, value);
}

}  // namespace

std::string_view CutValue(std::string_view value, size_t max_bytes) {
  if (value.size() <= max_bytes) return value;
  size_t end = max_bytes;
  // Bytes that go on with a character are 10xxxxxx; a character has at most four.
  while (end > 0 && max_bytes - end < 4 && (static_cast<uint8_t>(value[end]) & 0xc0) == 0x80) --end;
  return value.substr(0, end);
}

Labels LineStreams::Made(LogType type, LogOutput output, const AccessFields& fields) const {
  LabelsBuilder labels(target_);
  SetIfAbsent("log_type", LogTypeName(type), &labels);
  SetIfAbsent("stream", LogOutputName(output), &labels);
  for (const PromotedField& field : promoted_) {
    SetIfAbsent(field.name, CutValue(fields.Get(field.field), kMaxPromotedValueBytes), &labels);
  }
  return labels.Build();
}

const Labels& LineStreams::Plain(LogType type, LogOutput output) {
  std::unique_ptr<const Labels>& plain =
      plain_[static_cast<size_t>(type) * 2 + static_cast<size_t>(output)];
  if (plain == nullptr) plain = std::make_unique<const Labels>(Made(type, output, {}));
  return *plain;
}

const Labels& LineStreams::Of(LogType type, LogOutput output, const AccessFields& fields) {
  if (promoted_.empty() || fields.values.empty()) return Plain(type, output);
  key_.assign({static_cast<char>(type), static_cast<char>(output)});
  for (const PromotedField& field : promoted_) {
    const std::string_view value = CutValue(fields.Get(field.field), kMaxPromotedValueBytes);
    AppendVarint(value.size(), &key_);
    key_.append(value);
  }
  const auto at = made_.find(key_);
  if (at != made_.end()) return at->second;
  if (made_.size() >= LinePlan::kMaxStreams) {
    ++refused_;
    return Plain(type, output);
  }
  return made_.emplace(key_, Made(type, output, fields)).first->second;
}

}  // namespace ampari
