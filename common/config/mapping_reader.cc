#include "common/config/mapping_reader.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/environment.h"
#include "common/config/units.h"
#include "common/labels/quote.h"
#include "common/relabel/relabel.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

// `what` begins with a sentence of its own or continues the place.
std::string At(const std::string& place, std::string_view what) {
  return place.empty() ? std::string(what) : absl::StrCat(place, ": ", ToAbsl(what));
}

bool ParseBool(const std::string& text, bool* out) {
  const std::string lower = absl::AsciiStrToLower(text);
  const bool yes = lower == "true" || lower == "yes" || lower == "on";
  if (!yes && lower != "false" && lower != "no" && lower != "off") return false;
  *out = yes;
  return true;
}

}  // namespace

MappingReader::MappingReader(ConfigFile& file) : MappingReader(&file.root(), "", file) {}

MappingReader::MappingReader(const YamlNode* node, std::string where, ConfigFile& file)
    : node_(node), where_(std::move(where)), file_(file) {
  if (node_ == nullptr) return;
  line_ = std::max(node_->line, 1);
  if (node_->kind == YamlNode::Kind::kNull) {
    node_ = nullptr;
  } else if (node_->kind != YamlNode::Kind::kMapping) {
    file_.AddError(line_, At(where_, "expected a mapping of keys to values"));
    node_ = nullptr;
  }
}

const YamlNode* MappingReader::Take(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  const YamlNode* value = node_ == nullptr ? nullptr : node_->Find(key);
  return value == nullptr || value->kind == YamlNode::Kind::kNull ? nullptr : value;
}

int MappingReader::LineOf(std::string_view key) const {
  if (node_ == nullptr) return line_;
  for (const YamlEntry& entry : node_->entries) {
    if (entry.key == key) return entry.line;
  }
  return line_;
}

std::string MappingReader::Place(std::string_view key) const {
  if (key.empty()) return where_;
  return where_.empty() ? std::string(key) : absl::StrCat(where_, ".", ToAbsl(key));
}

void MappingReader::Error(std::string_view key, std::string_view what) {
  file_.AddError(LineOf(key), At(Place(key), what));
}

void MappingReader::Unsupported(std::string_view key, std::string_view why) {
  file_.AddUnsupported(LineOf(key), At(Place(key), why));
}

void MappingReader::Warning(std::string_view key, std::string_view what) {
  file_.AddWarning(LineOf(key), At(Place(key), what));
}

bool MappingReader::ScalarOf(const YamlNode& node, const std::string& place, bool expand,
                             std::string* out) {
  if (node.kind == YamlNode::Kind::kNull) {
    out->clear();
    return true;
  }
  if (node.kind != YamlNode::Kind::kScalar) {
    file_.AddError(node.line, At(place, "expected a single value, not a list or a mapping"));
    return false;
  }
  if (!expand) {
    *out = node.text;
    return true;
  }
  absl::StatusOr<std::string> expanded = ExpandEnvironment(node.text);
  if (!expanded.ok()) {
    file_.AddError(node.line, At(place, FromAbsl(expanded.status().message())));
    return false;
  }
  *out = *std::move(expanded);
  return true;
}

bool MappingReader::Scalar(std::string_view key, bool expand, std::string* out) {
  const YamlNode* value = Take(key);
  return value != nullptr && ScalarOf(*value, Place(key), expand, out);
}

bool MappingReader::Text(std::string_view key, std::string* out) { return Scalar(key, true, out); }

void MappingReader::RawText(std::string_view key, std::string* out) { Scalar(key, false, out); }

void MappingReader::Path(std::string_view key, std::string* out) {
  if (Scalar(key, true, out)) *out = file_.Resolve(*out);
}

void MappingReader::Bool(std::string_view key, bool* out) {
  std::string text;
  if (!Scalar(key, true, &text)) return;
  if (!ParseBool(text, out)) Error(key, absl::StrCat(Quoted(text), " is not true or false"));
}

void MappingReader::Unsigned(std::string_view key, uint64_t* out) {
  std::string text;
  if (!Scalar(key, true, &text)) return;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Error(key, absl::StrCat(Quoted(text), " is not a whole number of 0 or more"));
  }
  *out = number;
}

void MappingReader::Unsigned(std::string_view key, uint32_t* out) {
  uint64_t number = *out;
  Unsigned(key, &number);
  if (number > std::numeric_limits<uint32_t>::max())
    return Error(key, absl::StrCat(number, " is too large"));
  *out = static_cast<uint32_t>(number);
}

void MappingReader::Duration(std::string_view key, absl::Duration* out) {
  std::string text;
  if (!Scalar(key, true, &text)) return;
  const absl::StatusOr<absl::Duration> duration = ParsePromDuration(text);
  if (!duration.ok()) return Error(key, FromAbsl(duration.status().message()));
  *out = *duration;
}

void MappingReader::Size(std::string_view key, uint64_t* out) {
  std::string text;
  if (!Scalar(key, true, &text)) return;
  const absl::StatusOr<uint64_t> size = ParseByteSize(text);
  if (!size.ok()) return Error(key, FromAbsl(size.status().message()));
  *out = *size;
}

void MappingReader::Texts(std::string_view key, std::vector<std::string>* out) {
  ReadTexts(key, true, out);
}

void MappingReader::RawTexts(std::string_view key, std::vector<std::string>* out) {
  ReadTexts(key, false, out);
}

void MappingReader::ReadTexts(std::string_view key, bool expand, std::vector<std::string>* out) {
  const YamlNode* value = Take(key);
  if (value == nullptr) return;
  if (value->kind != YamlNode::Kind::kSequence)
    return Error(key, "expected a list, such as [a, b]");
  out->clear();
  for (const YamlNode& item : value->items) {
    std::string text;
    if (ScalarOf(item, absl::StrCat(Place(key), "[", out->size(), "]"), expand, &text))
      out->push_back(std::move(text));
  }
}

MappingReader MappingReader::Child(std::string_view key) {
  MappingReader child(Take(key), Place(key), file_);
  if (!child.present()) child.line_ = LineOf(key);
  return child;
}

std::vector<MappingReader> MappingReader::Children(std::string_view key) {
  std::vector<MappingReader> children;
  const YamlNode* value = Take(key);
  if (value == nullptr) return children;
  if (value->kind != YamlNode::Kind::kSequence) {
    Error(key, "expected a list; put - before each of its entries");
    return children;
  }
  for (const YamlNode& item : value->items) {
    const std::string place = absl::StrCat(Place(key), "[", children.size(), "]");
    if (item.kind == YamlNode::Kind::kNull)
      file_.AddError(item.line, At(place, "the entry is empty"));
    children.emplace_back(&item, place, file_);
  }
  return children;
}

std::vector<std::pair<std::string, std::vector<std::string>>> MappingReader::TextLists(
    std::string_view key) {
  std::vector<std::pair<std::string, std::vector<std::string>>> lists;
  MappingReader child = Child(key);
  if (!child.present()) return lists;
  for (const YamlEntry& entry : child.node_->entries) {
    auto& [name, texts] = lists.emplace_back(entry.key, std::vector<std::string>());
    child.Texts(name, &texts);
  }
  return lists;
}

void MappingReader::LabelSet(std::string_view key, Labels* out) {
  MappingReader child = Child(key);
  if (!child.present()) return;
  LabelsBuilder builder;
  for (const YamlEntry& entry : child.node_->entries) {
    std::string value;
    child.Text(entry.key, &value);
    if (!IsLegacyLabelName(entry.key)) {
      child.Error(entry.key,
                  "not a valid label name: use letters, digits and _, not beginning with a digit");
    }
    if (!IsUtf8(value)) child.Error(entry.key, "the value is not UTF-8");
    builder.Set(entry.key, value);
  }
  *out = builder.Build();
}

void MappingReader::SecretOf(const std::string& key, Secret* out) {
  const std::string file_key = key + "_file";
  Text(key, &out->value);
  Path(file_key, &out->file);
  if (!out->value.empty() && !out->file.empty()) {
    Error(key, absl::StrCat("at most one of ", key, " and ", file_key, " may be given"));
  }
}

std::string MappingReader::AdviceFor(const std::string& unknown) const {
  constexpr size_t kMaxListed = 16;
  const std::string near = NearestKey(unknown, known_);
  if (!near.empty()) return absl::StrCat("did you mean ", Quoted(near), "?");
  if (known_.empty() || known_.size() > kMaxListed) return "remove it";
  return absl::StrCat("valid here: ", absl::StrJoin(known_, ", "));
}

void MappingReader::Finish() {
  if (node_ == nullptr) return;
  for (const YamlEntry& entry : node_->entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    file_.AddError(entry.line, At(where_, absl::StrCat("unknown key ", Quoted(entry.key), "; ",
                                                       AdviceFor(entry.key))));
  }
}

}  // namespace ampari
