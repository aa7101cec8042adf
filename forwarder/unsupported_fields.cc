// What Prometheus' scrape_config has and this forwarder has not.
#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "forwarder/scrape_job_config.h"

namespace ampari {
namespace {

struct UnsupportedField {
  const char* key;
  const char* allowed;  // the only value that means nothing else than what is done here
  const char* why;
};

constexpr char kNoNativeHistograms[] = "native histograms are not supported yet; remove it";
constexpr char kLegacyNames[] =
    "only the legacy naming scheme is supported yet; use legacy or remove it";

constexpr UnsupportedField kUnsupportedFields[] = {
    {"scrape_failure_log_file", "",
     "not supported; failures are in the forwarder's log and at /targets"},
    {"metric_name_validation_scheme", "legacy", kLegacyNames},
    {"metric_name_escaping_scheme", "underscores", "only underscores is supported; remove it"},
    {"native_histogram_bucket_limit", "0", kNoNativeHistograms},
    {"native_histogram_min_bucket_factor", "0", kNoNativeHistograms},
    {"scrape_native_histograms", "false", kNoNativeHistograms},
    {"convert_classic_histograms_to_nhcb", "false", kNoNativeHistograms},
    {"always_scrape_classic_histograms", "false", kNoNativeHistograms},
};

bool Says(const YamlNode& value, const char* allowed) {
  return value.kind == YamlNode::Kind::kScalar && absl::AsciiStrToLower(value.text) == allowed;
}

}  // namespace

void RefuseUnsupportedFields(MappingReader& block) {
  for (const UnsupportedField& field : kUnsupportedFields) {
    const YamlNode* value = block.Take(field.key);
    if (value != nullptr && !Says(*value, field.allowed)) block.Unsupported(field.key, field.why);
  }
}

}  // namespace ampari
