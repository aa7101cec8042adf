// Text in double quotes as Go's strconv.Quote writes it: what is not printable, and what is not
// UTF-8, is escaped.
#pragma once

#include <string>
#include <string_view>

namespace ampari {

void AppendQuoted(std::string_view text, std::string* out);
std::string Quoted(std::string_view text);

// Decodes the first code point of `text` (not empty). Returns its length in bytes, or 0 when it is
// not UTF-8 (overlong forms and surrogates included).
size_t DecodeUtf8(std::string_view text, char32_t* code_point);
bool IsUtf8(std::string_view text);
// Appends a code point below 0x110000.
void AppendUtf8(char32_t code_point, std::string* out);

}  // namespace ampari
