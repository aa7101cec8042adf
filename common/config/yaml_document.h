// YamlNode: a YAML document as plain values with their lines. The source file is the only one that
// includes yaml-cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ampari {

struct YamlEntry;

// A copyable value. Aliases and merge keys (<<) are resolved, so it is a tree.
struct YamlNode {
  enum class Kind : uint8_t { kNull, kScalar, kSequence, kMapping };
  Kind kind = Kind::kNull;
  std::string text;                // of a scalar, as written (true, 1.0, 080)
  std::vector<YamlNode> items;     // of a sequence
  std::vector<YamlEntry> entries;  // of a mapping, in the order of the file
  int line = 0;                    // from 1
  int column = 0;                  // from 0: of a sequence in block style, its first dash
  bool flow = false;               // of a sequence: [a, b], not one line for each

  // The value of a mapping's key, null when there is none.
  const YamlNode* Find(std::string_view key) const;
};

struct YamlEntry {
  std::string key;
  int line = 0;
  YamlNode value;
};

struct YamlProblem {
  int line = 0;
  std::string what;
};

// What one document may hold after aliases are resolved; more is a problem, so that aliases cannot
// multiply.
inline constexpr size_t kMaxYamlNodes = 1'000'000;
inline constexpr int kMaxYamlDepth = 64;
inline constexpr size_t kMaxYamlBytes = size_t{32} << 20;

// Parses one document; an empty text is a null node. Appends what is wrong (syntax, a second
// document, a key given twice, bounds) to `*problems`. Pure.
YamlNode ParseYaml(const std::string& text, std::vector<YamlProblem>* problems);

}  // namespace ampari
