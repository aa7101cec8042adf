// What both exposition lexers are made of: character classes, quoted strings, error texts.
#pragma once

#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"
#include "forwarder/scrape/exposition.h"

namespace ampari::lexing {

inline bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }
inline bool IsNameStart(char c) { return IsAlpha(c) || c == ':'; }
inline bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// A position in `rest`; at the end of the buffer a token may go on, so that is kNeedMore, not an
// error.
struct Cursor {
  const char* p;
  const char* end;

  bool AtEnd() const { return p == end; }
  void SkipBlanks() {
    while (p != end && IsBlank(*p)) ++p;
  }
  std::string_view rest() const { return {p, static_cast<size_t>(end - p)}; }
};

inline LexResult Fail(std::string_view expected, const Cursor& at, std::string* error) {
  const std::string_view seen = at.rest().substr(0, 50);
  *error = absl::StrCat(ToAbsl(expected), ", got \"", absl::CHexEscape(ToAbsl(seen)), "\"");
  return LexResult::kError;
}

// [a-zA-Z_:][a-zA-Z0-9_:]* or, without colons, a label name; kError when the first character does
// not fit.
LexResult LexBareName(Cursor& at, bool colons, LexedText* out, std::string* error);

// The closing quote of the string that `p` is inside of, `end` when it is not there.
const char* SkipQuoted(const char* p, const char* end);

// A quoted string from its opening quote: "(\\.|[^\\"])*"; `newlines` tells whether it may hold raw
// ones. Leaves the cursor behind the closing quote. Invalid UTF-8 is an error.
LexResult LexQuoted(Cursor& at, bool newlines, LexedText* out, std::string* error);

// Label pairs behind an opening brace, closing brace included. A quoted string alone is the metric
// name (UTF-8 form).
struct LabelSyntax {
  bool blanks = false;           // spaces and tabs between tokens
  bool newlines = false;         // raw newlines in quoted values
  bool optional_commas = false;  // a missing comma between labels is tolerated
  bool allow_name = true;        // a quoted metric name may stand among the labels
};
LexResult LexLabels(Cursor& at, const LabelSyntax& syntax, LexedSeries* out, std::string* error);

}  // namespace ampari::lexing
