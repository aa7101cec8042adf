// MappingReader: typed fields of one YAML mapping. Every error names file, line, the field's place
// and what to do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/config/config_file.h"
#include "common/config/http_client_options.h"
#include "common/config/yaml_document.h"
#include "common/labels/labels.h"

namespace ampari {

// Reads leave `*out` untouched when the key is absent, null or wrong. Texts expand ${ENV}. Each key
// that was asked for is a valid key; Finish() reports the others. The file must outlive the reader.
// Not thread-safe.
class MappingReader {
 public:
  explicit MappingReader(ConfigFile& file);  // the top level
  MappingReader(const YamlNode* node, std::string where,
                ConfigFile& file);  // null: an absent block

  bool present() const { return node_ != nullptr; }
  int line() const { return line_; }
  const std::string& where() const { return where_; }
  ConfigFile& file() { return file_; }

  // Null unless the key has a value other than null.
  const YamlNode* Take(std::string_view key);
  bool Has(std::string_view key) { return Take(key) != nullptr; }

  bool Text(std::string_view key, std::string* out);     // true when *out was set
  void RawText(std::string_view key, std::string* out);  // without ${ENV}
  void Path(std::string_view key, std::string* out);     // relative to the file's directory
  void Bool(std::string_view key, bool* out);
  void Unsigned(std::string_view key, uint64_t* out);
  void Unsigned(std::string_view key, uint32_t* out);
  void Duration(std::string_view key, absl::Duration* out);
  void Size(std::string_view key, uint64_t* out);
  void Texts(std::string_view key, std::vector<std::string>* out);
  void RawTexts(std::string_view key, std::vector<std::string>* out);
  // A mapping of label names (legacy scheme) to values.
  void LabelSet(std::string_view key, Labels* out);
  // `key` or `key`_file, not both.
  void SecretOf(const std::string& key, Secret* out);

  MappingReader Child(std::string_view key);
  // The mappings of a list.
  std::vector<MappingReader> Children(std::string_view key);
  // A mapping's keys with a reader's view of each value's texts: a list, or one text.
  std::vector<std::pair<std::string, std::vector<std::string>>> TextLists(std::string_view key);

  // At the key's line, or the mapping's when the key is absent; an empty key is the mapping itself.
  void Error(std::string_view key, std::string_view what);
  void Unsupported(std::string_view key, std::string_view why);
  void Warning(std::string_view key, std::string_view what);
  void Finish();

 private:
  bool ScalarOf(const YamlNode& node, const std::string& place, bool expand, std::string* out);
  bool Scalar(std::string_view key, bool expand, std::string* out);
  void ReadTexts(std::string_view key, bool expand, std::vector<std::string>* out);
  std::string AdviceFor(const std::string& unknown) const;
  int LineOf(std::string_view key) const;
  std::string Place(std::string_view key) const;

  const YamlNode* node_;
  std::string where_;
  ConfigFile& file_;
  int line_ = 1;
  std::vector<std::string> known_;
};

// The valid key nearest to `key`, empty when none is near.
std::string NearestKey(std::string_view key, const std::vector<std::string>& valid);

}  // namespace ampari
