#include "bench/region/json_value.h"

#include <charconv>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace ampari::bench {
namespace {

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  absl::StatusOr<JsonValue> Read() {
    JsonValue value;
    const bool read = Value(0, &value);
    Blank();
    if (read && at_ == text_.size()) return value;
    return absl::InvalidArgumentError(absl::StrCat("not JSON at offset ", at_));
  }

 private:
  void Blank() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }

  bool Consume(char c) {
    Blank();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool Value(int depth, JsonValue* value) {
    Blank();
    if (at_ == text_.size() || depth > kMaxJsonDepth) return false;
    switch (text_[at_]) {
      case '{':
        return Object(depth, value);
      case '[':
        return Array(depth, value);
      case '"':
        value->kind = JsonValue::Kind::kString;
        return String(&value->text);
      default:
        return Word(value);
    }
  }

  bool Object(int depth, JsonValue* value) {
    value->kind = JsonValue::Kind::kObject;
    ++at_;
    if (Consume('}')) return true;
    do {
      Blank();
      auto& [name, member] = value->members.emplace_back();
      if (!String(&name) || !Consume(':') || !Value(depth + 1, &member)) return false;
    } while (Consume(','));
    return Consume('}');
  }

  bool Array(int depth, JsonValue* value) {
    value->kind = JsonValue::Kind::kArray;
    ++at_;
    if (Consume(']')) return true;
    do {
      if (!Value(depth + 1, &value->items.emplace_back())) return false;
    } while (Consume(','));
    return Consume(']');
  }

  bool Word(JsonValue* value) {
    const size_t end = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
    value->text = std::string(text_.substr(at_, end - at_));
    if (value->text == "null") {
      value->kind = JsonValue::Kind::kNull;
    } else if (value->text == "true" || value->text == "false") {
      value->kind = JsonValue::Kind::kBool;
    } else {
      double number = 0;
      const char* last = value->text.data() + value->text.size();
      if (std::from_chars(value->text.data(), last, number).ptr != last || value->text.empty())
        return false;
      value->kind = JsonValue::Kind::kNumber;
    }
    at_ = end;
    return true;
  }

  bool String(std::string* out) {
    if (at_ == text_.size() || text_[at_] != '"') return false;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (static_cast<uint8_t>(c) < 0x20) return false;
      if (c != '\\') {
        *out += c;
      } else if (!Escape(out)) {
        return false;
      }
    }
    return false;
  }

  // At the backslash; leaves at_ at the escape's last character.
  bool Escape(std::string* out) {
    static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (++at_ == text_.size()) return false;
    if (text_[at_] != 'u') {
      const size_t known = kFrom.find(text_[at_]);
      if (known == std::string_view::npos) return false;
      *out += kTo[known];
      return true;
    }
    uint32_t code = 0;
    if (!Hex(&code)) return false;
    if (code >= 0xd800 && code < 0xdc00) {  // the first half of a pair
      uint32_t low = 0;
      if (text_.substr(at_ + 1, 2) != "\\u") return false;
      at_ += 2;
      if (!Hex(&low) || low < 0xdc00 || low > 0xdfff) return false;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    AppendUtf8(code, out);
    return true;
  }

  bool Hex(uint32_t* code) {
    const std::string_view digits = text_.substr(at_ + 1, 4);
    const char* end = digits.data() + digits.size();
    if (digits.size() < 4 || std::from_chars(digits.data(), end, *code, 16).ptr != end)
      return false;
    at_ += 4;
    return true;
  }

  static void AppendUtf8(uint32_t code, std::string* out) {
    const auto tail = [&](int shift) {
      *out += static_cast<char>(0x80 | ((code >> shift) & 0x3f));
    };
    if (code < 0x80) {
      *out += static_cast<char>(code);
    } else if (code < 0x800) {
      *out += static_cast<char>(0xc0 | (code >> 6));
      tail(0);
    } else if (code < 0x10000) {
      *out += static_cast<char>(0xe0 | (code >> 12));
      tail(6);
      tail(0);
    } else {
      *out += static_cast<char>(0xf0 | (code >> 18));
      tail(12);
      tail(6);
      tail(0);
    }
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

const JsonValue& JsonValue::operator[](std::string_view name) const {
  static const JsonValue null;
  for (const auto& [member, value] : members) {
    if (member == name) return value;
  }
  return null;
}

double JsonValue::number() const {
  double value = 0;
  if (kind == Kind::kNumber) std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

absl::StatusOr<JsonValue> ParseJson(std::string_view text) { return JsonReader(text).Read(); }

}  // namespace ampari::bench
