#include "common/config/yaml_document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"

namespace ampari {
namespace {

// Copies yaml-cpp's graph into a tree.
class TreeBuilder {
 public:
  explicit TreeBuilder(std::vector<YamlProblem>* problems) : problems_(problems) {}

  YamlNode Build(const YAML::Node& node, int depth) {
    YamlNode out;
    out.line = node.Mark().line + 1;
    out.column = node.Mark().column;
    if (++nodes_ > kMaxYamlNodes || depth > kMaxYamlDepth) return TooLarge(out);
    if (node.IsScalar()) {
      out.kind = YamlNode::Kind::kScalar;
      out.text = node.Scalar();
    } else if (node.IsSequence()) {
      out.kind = YamlNode::Kind::kSequence;
      out.flow = node.Style() == YAML::EmitterStyle::Flow;
      for (const YAML::Node& item : node) out.items.push_back(Build(item, depth + 1));
    } else if (node.IsMap()) {
      out.kind = YamlNode::Kind::kMapping;
      AddEntries(node, depth, &out);
    }
    return out;
  }

 private:
  YamlNode TooLarge(YamlNode out) {
    if (!too_large_) {
      problems_->push_back(
          {out.line,
           absl::StrCat("the document is nested deeper than ", kMaxYamlDepth, " or holds over ",
                        kMaxYamlNodes, " values; aliases count as what they stand for")});
    }
    too_large_ = true;
    return out;
  }

  void AddEntries(const YAML::Node& node, int depth, YamlNode* out) {
    std::vector<YamlNode> merged;
    for (const auto& entry : node) {
      if (too_large_) return;
      const int line = entry.first.Mark().line + 1;
      if (!entry.first.IsScalar()) {
        problems_->push_back({line, "a key must be plain text"});
        continue;
      }
      const std::string& key = entry.first.Scalar();
      if (key == "<<") {
        merged.push_back(Build(entry.second, depth + 1));
      } else if (out->Find(key) != nullptr) {
        problems_->push_back(
            {line, absl::StrCat("key ", Quoted(key), " is given twice; keep one")});
      } else {
        out->entries.push_back({key, line, Build(entry.second, depth + 1)});
      }
    }
    for (const YamlNode& source : merged) Merge(source, out);
  }

  // A merge key's mapping, or mappings, give what is not given otherwise.
  void Merge(const YamlNode& source, YamlNode* out) {
    if (source.kind == YamlNode::Kind::kSequence) {
      for (const YamlNode& item : source.items) Merge(item, out);
      return;
    }
    if (source.kind != YamlNode::Kind::kMapping) {
      problems_->push_back({source.line, "<< needs a mapping or a list of mappings"});
      return;
    }
    for (const YamlEntry& entry : source.entries) {
      if (out->Find(entry.key) == nullptr) out->entries.push_back(entry);
    }
  }

  std::vector<YamlProblem>* problems_;
  size_t nodes_ = 0;
  bool too_large_ = false;
};

// Notes where a document's content begins.
class BeginOfContent final : public YAML::EventHandler {
 public:
  int line() const { return line_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { Note(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { Note(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                const std::string&) override {
    Note(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Note(mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Note(mark);
  }
  void OnMapEnd() override {}

 private:
  void Note(const YAML::Mark& mark) {
    if (line_ == 0) line_ = mark.line + 1;
  }
  int line_ = 0;  // 0: none yet
};

// How many documents there are, counted up to two, and where the last of them begins. YAML::LoadAll
// would not do: behind text such as {a: b}, it finds empty documents without end.
int CountDocuments(const std::string& text, int* line) {
  std::istringstream in(text);
  YAML::Parser parser(in);
  int documents = 0;
  while (documents < 2) {
    BeginOfContent begin;
    if (!parser.HandleNextDocument(begin)) break;
    *line = begin.line();
    ++documents;
  }
  return documents;
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [key](const YamlEntry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &found->value;
}

YamlNode ParseYaml(const std::string& text, std::vector<YamlProblem>* problems) {
  if (text.size() > kMaxYamlBytes) {
    problems->push_back({1, absl::StrCat("the file is larger than ", kMaxYamlBytes, " bytes")});
    return {};
  }
  try {
    int line = 0;
    const int documents = CountDocuments(text, &line);
    if (documents == 0) return {};
    if (documents > 1) {
      problems->push_back({line, "a second document begins here; a file holds one"});
    }
    return TreeBuilder(problems).Build(YAML::Load(text), 0);
  } catch (const YAML::Exception& error) {
    problems->push_back(
        {error.mark.is_null() ? 1 : error.mark.line + 1, absl::StrCat("not YAML: ", error.msg)});
    return {};
  }
}

}  // namespace ampari
