#include "forwarder/access_log_config.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"
#include "common/relabel/relabel.h"
#include "common/runtime/absl_view.h"
#include "forwarder/log_line_config.h"

namespace ampari {
namespace {

constexpr char kFormats[] = "formats";

// Fields whose values are nearly all different: each would be a stream of its own.
constexpr const char* kManyValues[] = {"start_time",
                                       "path",
                                       "request_id",
                                       "duration",
                                       "bytes_sent",
                                       "bytes_received",
                                       "upstream_service_time",
                                       "x_forwarded_for",
                                       "user_agent",
                                       "upstream_host",
                                       "upstream_local_address",
                                       "downstream_local_address",
                                       "downstream_remote_address"};

void AddFormat(MappingReader& block, const std::string& written, AccessLogOptions* options) {
  std::vector<AccessLogFormat>& formats = options->formats;
  if (written == "json") return formats.push_back(AccessLogFormat::Json());
  if (written == "default") {
    formats.push_back(*AccessLogFormat::Text(kIstioTextFormat));
    return formats.push_back(*AccessLogFormat::Text(kIstioTextFormatBefore19));
  }
  absl::StatusOr<AccessLogFormat> format = AccessLogFormat::Text(written);
  if (format.ok()) return formats.push_back(*std::move(format));
  block.Error(kFormats, absl::StrCat(Quoted(written), ": ", format.status().message(),
                                     "; a format is default, json, or the text of meshConfig's "
                                     "accessLogFormat"));
}

void ReadFormats(MappingReader& block, AccessLogOptions* options) {
  std::vector<std::string> written = {"default", "json"};
  block.RawTexts(kFormats, &written);
  if (written.empty()) block.Error(kFormats, "no format is left; remove it for the default");
  for (const std::string& format : written) AddFormat(block, format, options);
}

// Fields as they are written: a list, or a mapping of fields to names.
std::vector<PromotedField> WrittenFields(MappingReader& block, std::string_view key) {
  std::vector<PromotedField> fields;
  const YamlNode* node = block.Take(key);
  if (node == nullptr) return fields;
  if (node->kind == YamlNode::Kind::kMapping) {
    MappingReader names = block.Child(key);
    for (const YamlEntry& entry : node->entries) {
      names.Text(entry.key, &fields.emplace_back(PromotedField{entry.key, entry.key}).name);
    }
    return fields;
  }
  std::vector<std::string> names;
  block.Texts(key, &names);
  for (const std::string& name : names) fields.push_back({name, name});
  return fields;
}

void CheckNames(MappingReader& block, std::string_view key,
                const std::vector<PromotedField>& fields) {
  std::set<std::string> seen;
  for (const PromotedField& field : fields) {
    const std::string quoted = Quoted(field.name);
    if (!IsLegacyLabelName(field.name)) {
      block.Error(key, absl::StrCat(quoted,
                                    " is not a valid label name: use letters, digits and _, not "
                                    "beginning with a digit; a mapping {field: name} renames"));
    } else if (field.name.starts_with("__")) {
      block.Error(key, absl::StrCat(quoted, ": names beginning with __ are reserved"));
    } else if (!seen.insert(field.name).second) {
      block.Error(key, absl::StrCat(quoted, " is given twice; keep one"));
    }
  }
}

void ReadLabels(MappingReader& block, AccessLogOptions* options) {
  constexpr char kKey[] = "labels";
  options->labels = WrittenFields(block, kKey);
  CheckNames(block, kKey, options->labels);
  if (options->labels.size() > kMaxPromotedLabels) {
    block.Error(kKey, absl::StrCat("at most ", kMaxPromotedLabels, " fields can be labels"));
  }
  for (PromotedField& field : options->labels) {
    field.field = ReadAccessField(block, kKey, field.field, *options);
    if (field.name == "log_type" || field.name == "stream") {
      block.Error(kKey, absl::StrCat(Quoted(field.name),
                                     " is set by the forwarder itself; take another name"));
    }
    if (std::find(std::begin(kManyValues), std::end(kManyValues), field.field) !=
        std::end(kManyValues)) {
      block.Warning(kKey, absl::StrCat(Quoted(field.field),
                                       " has too many values for a label: each makes a stream; "
                                       "move it to structured_metadata"));
    }
  }
}

void ReadMetadata(MappingReader& block, AccessLogOptions* options) {
  constexpr char kKey[] = "structured_metadata";
  options->metadata = WrittenFields(block, kKey);
  CheckNames(block, kKey, options->metadata);
  if (options->metadata.size() > kMaxLogMetadataPairs) {
    block.Error(kKey, absl::StrCat("at most ", kMaxLogMetadataPairs, " fields"));
  }
  for (PromotedField& field : options->metadata) {
    field.field = ReadAccessField(block, kKey, field.field, *options);
  }
}

MappingWriter FieldsBlock(const std::vector<PromotedField>& fields) {
  MappingWriter block;
  for (const PromotedField& field : fields) block.Text(field.field, field.name);
  return block;
}

}  // namespace

std::string ReadAccessField(MappingReader& block, std::string_view key, const std::string& written,
                            const AccessLogOptions& options) {
  const std::string field = written == "request_method" ? "method" : written;
  const std::vector<AccessLogFormat> formats =
      options.formats.empty() ? AccessLogFormat::IstioDefaults() : options.formats;
  std::vector<std::string> known;
  bool json = false;
  for (const AccessLogFormat& format : formats) {
    json = json || format.any_json();
    for (const std::string& name : format.names()) known.push_back(name);
  }
  if (std::find(known.begin(), known.end(), field) != known.end()) return field;
  if (json && known.empty()) return field;
  const std::string near = NearestKey(field, known);
  const std::string advice = near.empty() ? "" : absl::StrCat("; did you mean ", Quoted(near), "?");
  if (!json) {
    block.Error(key, absl::StrCat("no format has a field ", Quoted(field), advice));
  } else if (!near.empty()) {
    block.Warning(key, absl::StrCat("only lines of JSON can have a field ", Quoted(field), advice));
  }
  return field;
}

AccessLogOptions ReadAccessLog(MappingReader block) {
  AccessLogOptions options;
  if (!block.present()) return options;
  options.enabled = true;
  ReadFormats(block, &options);
  ReadLabels(block, &options);
  ReadMetadata(block, &options);
  block.Finish();
  return options;
}

MappingWriter AccessLogBlock(const AccessLogOptions& options) {
  std::vector<std::string> formats;
  for (const AccessLogFormat& format : options.formats) {
    if (format.any_json()) {
      formats.emplace_back("json");
    } else if (format.text() == kIstioTextFormat) {
      formats.emplace_back("default");
    } else if (format.text() != kIstioTextFormatBefore19 || formats.empty() ||
               formats.back() != "default") {
      formats.push_back(format.text());
    }
  }
  MappingWriter block;
  block.RawTexts(kFormats, formats)
      .Child("labels", FieldsBlock(options.labels))
      .Child("structured_metadata", FieldsBlock(options.metadata));
  return block;
}

}  // namespace ampari
