// JsonText: a cursor over one JSON text (RFC 8259) that gives views of its strings; nothing is
// built. Pure.
#pragma once

#include <string>
#include <string_view>

namespace ampari {

// Every call skips white space first and is false, with the cursor anywhere, when something else is
// there. The text must outlive it. What SkipValue passes over is checked for its ends, not in every
// detail. Not thread-safe.
class JsonText {
 public:
  explicit JsonText(std::string_view text) : rest_(text) {}

  bool done();  // only white space is left
  // One of { } [ ] : and the comma. When it is not there, nothing is taken.
  bool TakeMark(char mark);
  // What stands between the quotes, escapes and all.
  bool TakeString(std::string_view* out);
  // A number, true, false or null.
  bool TakeScalar(std::string_view* out);
  // Any value, at most kMaxDepth deep.
  bool SkipValue();
  // What comes next; nothing is taken.
  bool AtString() { return AtMark('"'); }
  bool AtMark(char mark);

  static constexpr int kMaxDepth = 64;

 private:
  void SkipSpace();
  bool SkipNested();

  std::string_view rest_;
};

// The text that stands for `escaped`, what was between the quotes, replaces *out. Escapes that are
// none stay as they are; a lone surrogate becomes U+FFFD.
void UnescapeJson(std::string_view escaped, std::string* out);

}  // namespace ampari
