// What receivers demand of names and texts. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ampari::bench {

// [a-zA-Z_][a-zA-Z0-9_]*; a metric's may hold colons too.
bool IsLabelName(std::string_view name);
bool IsMetricName(std::string_view name);
// RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool IsUtf8(std::string_view text);
// Appends a code point; false when it is none that can be encoded.
bool AppendCodePoint(uint32_t code_point, std::string* out);
// In double quotes; backslash, quote, newline and tab are escaped.
void AppendQuotedText(std::string_view value, std::string* out);

}  // namespace ampari::bench
