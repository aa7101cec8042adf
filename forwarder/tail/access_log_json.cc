#include "forwarder/tail/access_log_json.h"

#include <string>

#include "forwarder/tail/json_text.h"

namespace ampari {
namespace {

constexpr int kMaxObjects = 8;
constexpr size_t kMaxFields = 256;

class ObjectReader {
 public:
  ObjectReader(std::string_view line, AccessFields* out) : json_(line), out_(out) {
    // For texts the line's own bytes do, and for names as a rule as many for each level. A long
    // outer name that many inner ones repeat could make it any size: what does not fit is left out.
    out->buffer.reserve(line.size() * (kMaxObjects + 1));
  }

  bool Read() { return ReadObject({}, 1) && json_.done(); }

 private:
  // Text that outlives the reader: the buffer was reserved, so that views into it stay.
  std::string_view Keep(std::string_view text) {
    if (out_->buffer.capacity() - out_->buffer.size() < text.size()) return {};
    const size_t at = out_->buffer.size();
    out_->buffer.append(text);
    return std::string_view(out_->buffer).substr(at);
  }

  std::string_view Plain(std::string_view text) {
    if (text.find('\\') == std::string_view::npos) return text;
    UnescapeJson(text, &scratch_);
    return Keep(scratch_);
  }

  std::string_view Joined(std::string_view outer, std::string_view inner) {
    if (outer.empty()) return Plain(inner);
    UnescapeJson(inner, &scratch_);
    return Keep(std::string(outer).append(".").append(scratch_));
  }

  bool Add(std::string_view name, std::string_view value) {
    if (out_->values.size() == kMaxFields) return false;
    if (!name.empty() && !value.empty() && value != "-") out_->values.emplace_back(name, value);
    return true;
  }

  bool ReadValue(std::string_view name, int depth) {
    std::string_view value;
    if (json_.AtString()) return json_.TakeString(&value) && Add(name, Plain(value));
    if (json_.AtMark('{')) return ReadObject(name, depth + 1);
    if (json_.AtMark('[')) return json_.SkipValue();
    return json_.TakeScalar(&value) && Add(name, value == "null" ? std::string_view() : value);
  }

  bool ReadObject(std::string_view outer, int depth) {
    if (depth > kMaxObjects || !json_.TakeMark('{')) return false;
    if (json_.TakeMark('}')) return true;
    do {
      std::string_view key;
      if (!json_.TakeString(&key) || !json_.TakeMark(':')) return false;
      if (!ReadValue(Joined(outer, key), depth)) return false;
    } while (json_.TakeMark(','));
    return json_.TakeMark('}');
  }

  JsonText json_;
  AccessFields* out_;
  std::string scratch_;
};

}  // namespace

bool ParseAccessJson(std::string_view line, AccessFields* out) {
  return ObjectReader(line, out).Read();
}

}  // namespace ampari
