#include <utility>

#include "bench/region/log_request.h"
#include "bench/region/text_rules.h"
#include "common/runtime/absl_view.h"

namespace ampari::bench {
namespace {

// Walks {a="x", b="y"}. Strings as Go writes them (strconv.Quote).
class SelectorReader {
 public:
  explicit SelectorReader(std::string_view text) : rest_(text) {}

  bool Consume(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::string_view Name() {
    size_t size = 0;
    while (size < rest_.size() && rest_[size] != '=' && rest_[size] != '"') ++size;
    const std::string_view name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return name;
  }

  bool String(std::string* out) {
    if (!Consume("\"")) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\n' || (c == '\\' && !Escape(out))) return false;
      if (c != '\\') out->push_back(c);
    }
    return false;
  }

  bool at_end() const { return rest_.empty(); }

 private:
  bool Escape(std::string* out) {
    static constexpr std::string_view kNames = "abfnrtv\\\"", kValues = "\a\b\f\n\r\t\v\\\"";
    if (rest_.empty()) return false;
    const char c = rest_.front();
    if (const size_t at = kNames.find(c); at != std::string_view::npos) {
      rest_.remove_prefix(1);
      out->push_back(kValues[at]);
      return true;
    }
    uint32_t value = 0;
    if (c >= '0' && c <= '7') {
      if (!Number(3, 8, &value) || value > 255) return false;
    } else {
      rest_.remove_prefix(1);
      const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
      if (digits == 0 || !Number(digits, 16, &value)) return false;
      if (c != 'x') return AppendCodePoint(value, out);
    }
    out->push_back(static_cast<char>(value));
    return true;
  }

  bool Number(size_t digits, uint32_t base, uint32_t* value) {
    if (rest_.size() < digits) return false;
    for (const char c : rest_.substr(0, digits)) {
      const uint32_t digit = c >= '0' && c <= '9'   ? static_cast<uint32_t>(c - '0')
                             : c >= 'a' && c <= 'f' ? static_cast<uint32_t>(c - 'a' + 10)
                             : c >= 'A' && c <= 'F' ? static_cast<uint32_t>(c - 'A' + 10)
                                                    : 16;
      if (digit >= base) return false;
      *value = *value * base + digit;
    }
    rest_.remove_prefix(digits);
    return true;
  }

  std::string_view rest_;
};

absl::Status Broken(std::string_view rule) { return absl::InvalidArgumentError(ToAbsl(rule)); }

}  // namespace

absl::StatusOr<StreamLabels> ParseSelector(std::string_view text) {
  SelectorReader reader(text);
  StreamLabels labels;
  std::string before;
  if (!reader.Consume("{")) return Broken("labels are no selector");
  if (reader.Consume("}") && reader.at_end()) return labels;
  do {
    std::string name(reader.Name()), value;
    if (!reader.Consume("=") || !reader.String(&value)) return Broken("labels are no selector");
    if (!IsLabelName(name)) return Broken("invalid label name");
    if (name == before) return Broken("repeated label name");
    if (name < before) return Broken("labels not sorted");
    if (value.empty()) return Broken("empty label value");
    if (!IsUtf8(value)) return Broken("label value is not UTF-8");
    before = name;
    labels.emplace(std::move(name), std::move(value));
  } while (reader.Consume(", "));
  if (!reader.Consume("}") || !reader.at_end()) return Broken("labels are no selector");
  return labels;
}

}  // namespace ampari::bench
