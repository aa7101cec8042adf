#include "bench/region/write_request.h"

#include <snappy.h>

#include "absl/strings/str_cat.h"
#include "bench/region/text_rules.h"
#include "bench/region/wire_reader.h"
#include "common/runtime/absl_view.h"

namespace ampari::bench {
namespace {

// A copy element of three bytes yields at most 64: a larger claim cannot be true.
constexpr size_t kMaxSnappyExpansion = 22;

absl::Status Broken(std::string_view rule) { return absl::InvalidArgumentError(ToAbsl(rule)); }

bool ReadLabel(std::string_view message, LabelView* label) {
  WireReader reader(message);
  WireField field;
  while (reader.Next(&field)) {
    if (field.type != WireType::kBytes) continue;
    if (field.number == 1) label->name = field.bytes;
    if (field.number == 2) label->value = field.bytes;
  }
  return !reader.failed();
}

bool ReadSample(std::string_view message, SampleView* sample) {
  WireReader reader(message);
  WireField field;
  while (reader.Next(&field)) {
    if (field.number == 1 && field.type == WireType::kFixed64) sample->value_bits = field.varint;
    if (field.number == 2 && field.type == WireType::kVarint) {
      sample->timestamp_ms = static_cast<int64_t>(field.varint);
    }
  }
  return !reader.failed();
}

absl::Status CheckLabel(const LabelView& label, const LabelView* before) {
  if (label.name.empty()) return Broken("empty label name");
  if (label.value.empty()) return Broken("empty label value");
  if (!IsLabelName(label.name)) return Broken("invalid label name");
  if (!IsUtf8(label.value)) return Broken("label value is not UTF-8");
  if (label.name == "__name__" && !IsMetricName(label.value)) return Broken("invalid metric name");
  if (before == nullptr || before->name < label.name) return absl::OkStatus();
  return Broken(before->name == label.name ? "repeated label name" : "labels not sorted");
}

}  // namespace

absl::Status DecompressRequest(std::string_view body, std::string* plain) {
  size_t size = 0;
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &size)) {
    return Broken("body is not snappy");
  }
  if (size > kMaxPlainBytes || size / kMaxSnappyExpansion > body.size())
    return Broken("body is too large when decompressed");
  plain->resize(size);
  if (!snappy::RawUncompress(body.data(), body.size(), plain->data())) {
    return Broken("body is not snappy");
  }
  return absl::OkStatus();
}

WriteRequestReader::WriteRequestReader(std::string_view plain) : rest_(plain) {}

bool WriteRequestReader::Malformed(const char* why) {
  status_ = Broken(why);
  rest_ = {};
  return false;
}

bool WriteRequestReader::Next() {
  WireReader reader(rest_);
  WireField field;
  while (reader.Next(&field)) {
    const char* end = rest_.data() + rest_.size();
    rest_ = std::string_view(reader.position(), static_cast<size_t>(end - reader.position()));
    if (field.type != WireType::kBytes) return Malformed("unknown field in the request");
    if (field.number == 1) return ReadSeries(field.bytes);
    if (field.number == 3) return ReadMetadata(field.bytes);
    return Malformed("unknown field in the request");
  }
  if (reader.failed()) return Malformed("malformed protobuf");
  return false;
}

bool WriteRequestReader::ReadSeries(std::string_view message) {
  has_series_ = true;
  series_.samples.clear();
  WireReader reader(message);
  WireField field;
  size_t label_end = 0;
  while (reader.Next(&field)) {
    if (field.type != WireType::kBytes) return Malformed("malformed time series");
    if (field.number == 1) {
      if (!series_.samples.empty()) return Malformed("labels after samples");
      label_end = static_cast<size_t>(reader.position() - message.data());
    } else if (field.number == 2) {
      SampleView sample;
      if (!ReadSample(field.bytes, &sample)) return Malformed("malformed sample");
      if (!series_.samples.empty() && sample.timestamp_ms <= series_.samples.back().timestamp_ms) {
        return Malformed("samples of one series are not in the order of time");
      }
      series_.samples.push_back(sample);
    }
  }
  if (reader.failed()) return Malformed("malformed time series");
  if (series_.samples.empty()) return Malformed("a time series without samples");
  series_.label_bytes = message.substr(0, label_end);
  return true;
}

bool WriteRequestReader::ReadMetadata(std::string_view message) {
  has_series_ = false;
  metadata_ = {};
  WireReader reader(message);
  WireField field;
  while (reader.Next(&field)) {
    if (field.number == 1 && field.type == WireType::kVarint) metadata_.type = field.varint;
    if (field.type != WireType::kBytes) continue;
    if (field.number == 2) metadata_.family = field.bytes;
    if (field.number == 4) metadata_.help = field.bytes;
    if (field.number == 5) metadata_.unit = field.bytes;
  }
  if (reader.failed() || metadata_.family.empty()) return Malformed("malformed metadata");
  return true;
}

absl::StatusOr<std::vector<LabelView>> ReadLabels(std::string_view label_bytes) {
  std::vector<LabelView> labels;
  WireReader reader(label_bytes);
  WireField field;
  bool has_metric_name = false;
  while (reader.Next(&field)) {
    LabelView label;
    if (!ReadLabel(field.bytes, &label)) return Broken("malformed label");
    const absl::Status checked = CheckLabel(label, labels.empty() ? nullptr : &labels.back());
    if (!checked.ok()) return checked;
    has_metric_name = has_metric_name || label.name == "__name__";
    labels.push_back(label);
  }
  if (reader.failed()) return Broken("malformed labels");
  if (!has_metric_name) return Broken("no metric name");
  return labels;
}

std::string CanonicalLabels(const std::vector<LabelView>& labels) {
  std::string out = "{";
  for (const LabelView& label : labels) {
    if (out.size() > 1) out += ',';
    out += label.name;
    out += '=';
    AppendQuotedText(label.value, &out);
  }
  out += '}';
  return out;
}

}  // namespace ampari::bench
