#include "bench/region/json_text.h"

#include <cstdint>
#include <cstdio>

namespace ampari::bench {

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto u = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", u);
      out += escape;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

JsonObject& JsonObject::Add(std::string_view name, const std::string& json) {
  if (!body_.empty()) body_ += ',';
  body_ += JsonString(name) + ":" + json;
  return *this;
}

}  // namespace ampari::bench
