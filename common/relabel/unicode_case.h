// Case of Unicode text, one code point at a time as Go's strings.ToLower and ToUpper, by glibc's
// C.UTF-8 tables. Where that locale is missing only ASCII letters change.
#pragma once

#include <string>
#include <string_view>

namespace ampari {

// What is not UTF-8 becomes U+FFFD, unless the text is ASCII.
std::string ToLowerText(std::string_view text);
std::string ToUpperText(std::string_view text);
bool IsLetterOrDigit(char32_t code_point);

}  // namespace ampari
