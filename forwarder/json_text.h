// JsonText: one JSON text (RFC 8259), compact, in the order in which it is told.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace ampari {

// Not thread-safe. Commas are its own business; that every Begin has its End and every key its
// value is the caller's. What is not UTF-8 becomes U+FFFD; numbers that JSON cannot say become
// null.
class JsonText {
 public:
  JsonText& BeginObject() { return Open('{'); }
  JsonText& EndObject() { return Close('}'); }
  JsonText& BeginArray() { return Open('['); }
  JsonText& EndArray() { return Close(']'); }
  JsonText& Key(std::string_view key);
  JsonText& Value(std::string_view text);
  JsonText& Value(double number);
  JsonText& Value(std::same_as<bool> auto value) { return Raw(value ? "true" : "false"); }
  JsonText& Value(std::same_as<uint64_t> auto number) { return Raw(std::to_string(number)); }
  JsonText& Null() { return Raw("null"); }
  template <typename T>
  JsonText& Field(std::string_view key, const T& value) {
    return Key(key).Value(value);
  }
  // The text; empty afterwards.
  std::string Take();

 private:
  JsonText& Open(char bracket);
  JsonText& Close(char bracket);
  JsonText& Raw(std::string_view text);
  void Separate();
  void AppendString(std::string_view text);

  std::string out_;
  bool comma_ = false;  // the next value or key of this level follows another
};

}  // namespace ampari
