// JsonWriter: writes one JSON text (RFC 8259), compact, in the order in which it is told.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace ampari {

// Not thread-safe. Commas are its own business; that every Begin has its End and every key its
// value is the caller's. Text that is not UTF-8 is written with U+FFFD for each wrong byte; numbers
// that JSON cannot say (NaN, infinities) are null.
class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view key);

  JsonWriter& Value(std::string_view text);
  JsonWriter& Value(const char* text) { return Value(std::string_view(text)); }
  JsonWriter& Value(double number);
  JsonWriter& Value(std::same_as<bool> auto value) { return Raw(value ? "true" : "false"); }
  template <std::integral T>
  requires(!std::same_as<T, bool>) JsonWriter& Value(T number) {
    return Raw(std::to_string(number));
  }
  JsonWriter& Null() { return Raw("null"); }

  template <typename T>
  JsonWriter& Field(std::string_view key, const T& value) {
    return Key(key).Value(value);
  }
  // {"a":1,…} of a map from text to number.
  template <typename Map>
  JsonWriter& Counts(std::string_view key, const Map& counts) {
    Key(key).BeginObject();
    for (const auto& [name, count] : counts) Field(name, count);
    return EndObject();
  }

  // The text; the writer is empty afterwards.
  std::string Take();

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  JsonWriter& Raw(std::string_view text);
  void Separate();

  std::string out_;
  bool comma_ = false;  // the next value or key of this level follows another
};

// Appends `text` with its quotes.
void AppendJsonString(std::string_view text, std::string* out);

}  // namespace ampari
