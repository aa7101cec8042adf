#include "common/config/yaml_writer.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/config/units.h"
#include "common/labels/quote.h"

namespace ampari {
namespace {

constexpr int kIndent = 2;

YamlNode Scalar(std::string text) { return {YamlNode::Kind::kScalar, std::move(text), {}, {}, 0}; }

YamlNode Sequence(std::vector<YamlNode> items) {
  return {YamlNode::Kind::kSequence, "", std::move(items), {}, 0};
}

std::string EscapeDollars(const std::string& text) {
  return absl::StrReplaceAll(text, {{"$", "$$"}});
}

// Texts that YAML reads back as they are.
bool IsPlain(const std::string& text) {
  if (text.empty() || text == "null" || text == "Null" || text == "NULL" || text[0] == '-')
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '/' ||
           c == '-';
  });
}

std::string ScalarText(const std::string& text) { return IsPlain(text) ? text : Quoted(text); }

void WriteMapping(const YamlNode& node, int indent, std::string* out);

void WriteSequence(const YamlNode& node, int indent, std::string* out) {
  const bool scalars = std::all_of(node.items.begin(), node.items.end(), [](const YamlNode& item) {
    return item.kind == YamlNode::Kind::kScalar;
  });
  if (scalars) {
    *out += " [";
    for (const YamlNode& item : node.items) {
      if (&item != &node.items.front()) *out += ", ";
      *out += ScalarText(item.text);
    }
    *out += "]\n";
    return;
  }
  *out += '\n';
  for (const YamlNode& item : node.items) {
    std::string block;
    WriteMapping(item, indent + kIndent, &block);
    block[static_cast<size_t>(indent)] = '-';
    *out += block;
  }
}

void WriteMapping(const YamlNode& node, int indent, std::string* out) {
  for (const YamlEntry& entry : node.entries) {
    absl::StrAppend(out, std::string(static_cast<size_t>(indent), ' '), ScalarText(entry.key), ":");
    switch (entry.value.kind) {
      case YamlNode::Kind::kMapping:
        *out += '\n';
        WriteMapping(entry.value, indent + kIndent, out);
        break;
      case YamlNode::Kind::kSequence:
        WriteSequence(entry.value, indent + kIndent, out);
        break;
      default:
        absl::StrAppend(out, " ", ScalarText(entry.value.text), "\n");
    }
  }
}

}  // namespace

void MappingWriter::Add(std::string_view key, YamlNode value) {
  node_.entries.push_back({std::string(key), 0, std::move(value)});
}

MappingWriter& MappingWriter::Text(std::string_view key, const std::string& value) {
  return RawText(key, EscapeDollars(value));
}

MappingWriter& MappingWriter::RawText(std::string_view key, const std::string& value) {
  return value.empty() ? *this : WrittenText(key, value);
}

MappingWriter& MappingWriter::WrittenText(std::string_view key, const std::string& value) {
  Add(key, Scalar(value));
  return *this;
}

MappingWriter& MappingWriter::Bool(std::string_view key, bool value) {
  return RawText(key, value ? "true" : "false");
}

MappingWriter& MappingWriter::Number(std::string_view key, uint64_t value) {
  return RawText(key, absl::StrCat(value));
}

MappingWriter& MappingWriter::Duration(std::string_view key, absl::Duration value) {
  return RawText(key, FormatPromDuration(value));
}

MappingWriter& MappingWriter::Size(std::string_view key, uint64_t bytes) {
  return RawText(key, FormatByteSize(bytes));
}

MappingWriter& MappingWriter::Texts(std::string_view key, const std::vector<std::string>& values) {
  std::vector<std::string> escaped;
  for (const std::string& value : values) escaped.push_back(EscapeDollars(value));
  return RawTexts(key, escaped);
}

MappingWriter& MappingWriter::RawTexts(std::string_view key,
                                       const std::vector<std::string>& values) {
  std::vector<YamlNode> items;
  for (const std::string& value : values) items.push_back(Scalar(value));
  if (!items.empty()) Add(key, Sequence(std::move(items)));
  return *this;
}

MappingWriter& MappingWriter::LabelSet(std::string_view key, const Labels& labels) {
  MappingWriter child;
  for (const Label label : labels) child.Text(label.name, std::string(label.value));
  return Child(key, std::move(child));
}

MappingWriter& MappingWriter::SecretOf(const std::string& key, const Secret& secret) {
  if (!secret.value.empty()) RawText(key, "<secret>");
  return Text(key + "_file", secret.file);
}

MappingWriter& MappingWriter::Child(std::string_view key, MappingWriter child) {
  if (!child.node_.entries.empty()) Add(key, std::move(child.node_));
  return *this;
}

MappingWriter& MappingWriter::Children(std::string_view key, std::vector<MappingWriter> children) {
  std::vector<YamlNode> items;
  for (MappingWriter& child : children) items.push_back(std::move(child.node_));
  if (!items.empty()) Add(key, Sequence(std::move(items)));
  return *this;
}

std::string MappingWriter::ToYaml() const {
  std::string out;
  WriteMapping(node_, 0, &out);
  return out.empty() ? "{}\n" : out;
}

}  // namespace ampari
