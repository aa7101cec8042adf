// MappingWriter: the effective configuration as YAML that loads again (but for its secrets).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/config/http_client_options.h"
#include "common/config/yaml_document.h"
#include "common/labels/labels.h"
#include "common/relabel/relabel.h"

namespace ampari {

// Builds a mapping key by key. Texts are written so that ${ENV} expansion gives them back. Empty
// texts, lists and mappings are left out.
class MappingWriter {
 public:
  MappingWriter& Text(std::string_view key, const std::string& value);
  MappingWriter& RawText(std::string_view key, const std::string& value);
  MappingWriter& WrittenText(std::string_view key,
                             const std::string& value);  // raw, an empty one too
  MappingWriter& Bool(std::string_view key, bool value);
  MappingWriter& Number(std::string_view key, uint64_t value);
  MappingWriter& Duration(std::string_view key, absl::Duration value);
  MappingWriter& Size(std::string_view key, uint64_t bytes);
  MappingWriter& Texts(std::string_view key, const std::vector<std::string>& values);
  MappingWriter& RawTexts(std::string_view key, const std::vector<std::string>& values);
  MappingWriter& LabelSet(std::string_view key, const Labels& labels);
  // `key: <secret>`, or `key`_file with the path.
  MappingWriter& SecretOf(const std::string& key, const Secret& secret);
  MappingWriter& Child(std::string_view key, MappingWriter child);
  MappingWriter& Children(std::string_view key, std::vector<MappingWriter> children);

  MappingWriter& HttpClient(const HttpClientOptions& options);
  MappingWriter& Tls(std::string_view key, const TlsOptions& options);
  MappingWriter& RelabelRules(std::string_view key, const std::vector<RelabelRule>& rules);

  // The block form, with a line break at its end; "{}" when empty.
  std::string ToYaml() const;

 private:
  void Add(std::string_view key, YamlNode value);

  YamlNode node_ = {YamlNode::Kind::kMapping, "", {}, {}, 0};
};

}  // namespace ampari
