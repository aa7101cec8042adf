// JSON output, as little as the tools need.
#pragma once

#include <string>
#include <string_view>

namespace ampari::bench {

// A JSON string with its quotes.
std::string JsonString(std::string_view text);

// Builds {"name":value,…}; values are given as finished JSON.
class JsonObject {
 public:
  JsonObject& Add(std::string_view name, const std::string& json);
  JsonObject& Text(std::string_view name, std::string_view text) {
    return Add(name, JsonString(text));
  }
  template <typename Integer>
  JsonObject& Number(std::string_view name, Integer number) {
    return Add(name, std::to_string(number));
  }
  std::string Take() const { return "{" + body_ + "}"; }

 private:
  std::string body_;
};

}  // namespace ampari::bench
