#include "forwarder/discovery/kubernetes/meta_labels.h"

#include <utility>

#include "absl/strings/ascii.h"

namespace ampari {
namespace {

constexpr std::string_view kPrefix = "__meta_kubernetes_";

std::string Sanitized(std::string_view key) {
  std::string name;
  name.reserve(key.size());
  for (const char c : key) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (!continues) name.push_back(absl::ascii_isalnum(static_cast<unsigned char>(c)) ? c : '_');
  }
  return name;
}

}  // namespace

std::string MetaName(std::string_view name) { return std::string(kPrefix).append(name); }

void MetaLabels::Set(std::string_view name, std::string_view value) {
  labels_[MetaName(name)] = value;
}

void MetaLabels::AddPairs(std::string_view kind,
                          const std::vector<std::pair<std::string_view, std::string_view>>& pairs) {
  const std::map<std::string_view, std::string_view> sorted(pairs.begin(), pairs.end());
  for (const auto& [key, value] : sorted) {
    const std::string name = Sanitized(key);
    labels_[MetaName(kind).append("_").append(name)] = value;
    labels_[MetaName(kind).append("present_").append(name)] = "true";
  }
}

Labels MetaLabels::Build() const {
  LabelsBuilder builder;
  for (const auto& [name, value] : labels_) builder.AddView(name, value);
  return builder.Build();
}

}  // namespace ampari
