#include "forwarder/json_text.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/labels/quote.h"

namespace ampari {

void JsonText::Separate() {
  if (comma_) out_.push_back(',');
  comma_ = true;
}

JsonText& JsonText::Open(char bracket) {
  Separate();
  out_.push_back(bracket);
  comma_ = false;
  return *this;
}

JsonText& JsonText::Close(char bracket) {
  out_.push_back(bracket);
  comma_ = true;
  return *this;
}

JsonText& JsonText::Raw(std::string_view text) {
  Separate();
  out_.append(text);
  return *this;
}

JsonText& JsonText::Key(std::string_view key) {
  Separate();
  AppendString(key);
  out_.push_back(':');
  comma_ = false;
  return *this;
}

JsonText& JsonText::Value(std::string_view text) {
  Separate();
  AppendString(text);
  return *this;
}

JsonText& JsonText::Value(double number) {
  return std::isfinite(number) ? Raw(absl::StrFormat("%.15g", number)) : Null();
}

std::string JsonText::Take() {
  comma_ = false;
  return std::exchange(out_, std::string());
}

void JsonText::AppendString(std::string_view text) {
  out_.push_back('"');
  while (!text.empty()) {
    char32_t code_point = 0;
    const size_t length = DecodeUtf8(text, &code_point);
    if (length == 0) {
      AppendUtf8(U'\uFFFD', &out_);
    } else if (code_point < 0x20 || code_point == 0x7F) {
      absl::StrAppendFormat(&out_, "\\u%04x", static_cast<unsigned>(code_point));
    } else {
      if (code_point == '"' || code_point == '\\') out_.push_back('\\');
      out_.append(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out_.push_back('"');
}

}  // namespace ampari
