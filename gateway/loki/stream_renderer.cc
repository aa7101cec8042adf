#include "gateway/loki/stream_renderer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"
#include "common/labels/varint.h"
#include "common/relabel/relabel.h"
#include "gateway/loki/push_request.h"

namespace ampari {
namespace {

constexpr size_t kMaxRefusalWords = 512;    // bytes
constexpr size_t kMaxNameInWords = 64;      // bytes
constexpr size_t kCachedStreamBytes = 128;  // of a remembered stream besides its texts
// Loki adds it where it is missing and does not count it (pkg/distributor/validator.go).
constexpr char kServiceName[] = "service_name";

std::string TooLong(const char* what, size_t size, uint32_t limit, std::string_view name) {
  return absl::StrCat("a label ", what, " of ", size, " bytes, the limit is ", limit, ": ",
                      std::string(name.substr(0, kMaxNameInWords)));
}

}  // namespace

std::string StreamRefusal(const Labels& labels, const LogLimits& limits) {
  const bool has_service = labels.Has(kServiceName);
  const size_t count = labels.size() - (has_service ? 1 : 0);
  if (limits.max_label_names != 0 && count > limits.max_label_names) {
    return absl::StrCat(count, " labels", has_service ? " besides service_name" : "",
                        ", the limit is ", limits.max_label_names);
  }
  for (const Label label : labels) {
    if (!IsLegacyLabelName(label.name)) {
      return absl::StrCat("a label name that Loki does not take: ",
                          Quoted(label.name.substr(0, kMaxNameInWords)));
    }
    if (limits.max_label_name_length != 0 && label.name.size() > limits.max_label_name_length)
      return TooLong("name", label.name.size(), limits.max_label_name_length, label.name);
    const size_t value_bytes = MendedUtf8(label.value).size();
    if (limits.max_label_value_length != 0 && value_bytes > limits.max_label_value_length)
      return TooLong("value", value_bytes, limits.max_label_value_length, label.name);
  }
  return "";
}

RenderedStream RenderStream(const Labels& stream, const Labels& enforced,
                            const StreamRules& rules) {
  LabelsBuilder builder(stream);
  for (const Label label : rules.external_labels) {
    if (!stream.Has(label.name)) builder.Set(label.name, label.value);
  }
  for (const Label label : enforced) builder.Set(label.name, label.value);
  const Labels labels = builder.Build();
  RenderedStream rendered{StreamSelector(labels), StreamRefusal(labels, rules.limits)};
  if (!rendered.refusal.empty()) {
    rendered.refusal.append(": ").append(rendered.selector);
    if (rendered.refusal.size() > kMaxRefusalWords) rendered.refusal.resize(kMaxRefusalWords);
  }
  return rendered;
}

std::shared_ptr<const RenderedStream> StreamRenderer::Render(const Labels& stream,
                                                             const Labels& enforced) {
  key_.clear();
  AppendVarint(enforced.bytes().size(), &key_);
  key_.append(enforced.bytes()).append(stream.bytes());
  const auto found = known_.find(key_);
  if (found != known_.end()) return found->second;
  auto rendered = std::make_shared<const RenderedStream>(RenderStream(stream, enforced, rules_));
  const size_t bytes =
      key_.size() + rendered->selector.size() + rendered->refusal.size() + kCachedStreamBytes;
  if (known_bytes_ + bytes > kMaxStreamCacheBytes) {
    known_.clear();
    known_bytes_ = 0;
  }
  known_bytes_ += bytes;
  known_.emplace(key_, rendered);
  return rendered;
}

}  // namespace ampari
