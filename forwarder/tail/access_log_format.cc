#include "forwarder/tail/access_log_format.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "forwarder/tail/access_log_json.h"

namespace ampari {
namespace {

struct KnownName {
  std::string_view operator_text, name;
};
constexpr KnownName kKnownNames[] = {
    {"REQ(:METHOD)", "method"},
    {"REQ(X-ENVOY-ORIGINAL-PATH?:PATH)", "path"},
    {"REQ(:PATH)", "path"},
    {"REQ(:AUTHORITY)", "authority"},
    {"REQ(X-REQUEST-ID)", "request_id"},
    {"RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)", "upstream_service_time"},
    {"UPSTREAM_CLUSTER_RAW", "upstream_cluster"},
};

std::string LowerName(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte)) {
      name.push_back(absl::ascii_tolower(byte));
    } else if (!name.empty() && name.back() != '_') {
      name.push_back('_');
    }
  }
  while (name.ends_with('_')) name.pop_back();
  return name;
}

// What stands in the parentheses behind `head`; empty when the text is something else.
std::string_view ArgumentOf(std::string_view text, std::string_view head) {
  if (!text.starts_with(head) || !text.ends_with(')')) return {};
  text.remove_prefix(head.size());
  text.remove_suffix(1);
  return text;
}

// An operator without the length that may follow it: REQ(X-FOO):20.
std::string_view WithoutLength(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text[colon - 1] != ')') return text;
  const std::string_view length = text.substr(colon + 1);
  const bool digits = !length.empty() && length.find_first_not_of("0123456789") == length.npos;
  return digits ? text.substr(0, colon) : text;
}

// The literal from `*at` to the next operator; %% is one per cent sign.
std::string TakeLiteral(std::string_view format, size_t* at) {
  std::string literal;
  while (*at < format.size()) {
    if (format[*at] == '%') {
      if (format.substr(*at, 2) != "%%") break;
      ++*at;
    }
    literal.push_back(format[(*at)++]);
  }
  return literal;
}

// The end of the operator whose first per cent sign is at `at`: the next one outside of
// parentheses.
size_t OperatorEnd(std::string_view format, size_t at) {
  int depth = 0;
  for (size_t i = at + 1; i < format.size(); ++i) {
    if (format[i] == '(') ++depth;
    if (format[i] == ')') --depth;
    if (format[i] == '%' && depth <= 0) return i;
  }
  return std::string_view::npos;
}

// Whether the text is one operator and nothing else: %RESPONSE_CODE%.
bool IsOperator(std::string_view text) {
  return text.size() > 2 && text.front() == '%' && OperatorEnd(text, 0) == text.size() - 1;
}

}  // namespace

const char kIstioTextFormat[] =
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" "
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
    "\"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
    "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" "
    "\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% "
    "%UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% "
    "%REQUESTED_SERVER_NAME% %ROUTE_NAME%";

const char kIstioTextFormatBefore19[] =
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" "
    "%RESPONSE_CODE% %RESPONSE_FLAGS% \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% "
    "%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" "
    "\"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" "
    "%UPSTREAM_CLUSTER% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% "
    "%DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%";

std::string_view AccessFields::Get(std::string_view name) const {
  const auto at = std::find_if(values.begin(), values.end(),
                               [&](const auto& field) { return field.first == name; });
  return at == values.end() ? std::string_view() : at->second;
}

std::string AccessLogFormat::FieldName(std::string_view operator_text) {
  const std::string_view text = WithoutLength(operator_text);
  for (const KnownName& known : kKnownNames) {
    if (known.operator_text == text) return std::string(known.name);
  }
  if (const std::string_view header = ArgumentOf(text, "REQ("); !header.empty()) {
    return LowerName(header);
  }
  if (const std::string_view header = ArgumentOf(text, "RESP("); !header.empty()) {
    return absl::StrCat("response_", LowerName(header));
  }
  return LowerName(text.starts_with("START_TIME(") ? "START_TIME" : text);
}

std::optional<AccessLogFormat> AccessLogFormat::OfKeys(std::string_view format) {
  AccessFields keys;
  if (!format.starts_with('{') || !ParseAccessJson(format, &keys)) return std::nullopt;
  AccessLogFormat result;
  result.json_ = true;
  result.text_ = format;
  bool has_operator = false;
  for (const auto& [key, value] : keys.values) {
    Field field;
    field.key = key;
    field.name = IsOperator(value) ? FieldName(value.substr(1, value.size() - 2)) : field.key;
    has_operator = has_operator || IsOperator(value);
    result.fields_.push_back(std::move(field));
  }
  return has_operator ? std::optional(std::move(result)) : std::nullopt;
}

absl::StatusOr<AccessLogFormat> AccessLogFormat::Text(std::string_view format) {
  while (format.ends_with('\n')) format.remove_suffix(1);
  if (std::optional<AccessLogFormat> keys = OfKeys(format)) return *std::move(keys);
  AccessLogFormat result;
  result.text_ = format;
  size_t at = 0;
  result.begin_ = TakeLiteral(format, &at);
  bool quoted = result.begin_.ends_with('"');
  while (at < format.size()) {
    const size_t end = OperatorEnd(format, at);
    if (end == std::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the operator at byte ", at, " has no closing %; write %% for a per cent sign"));
    }
    Field field;
    field.name = FieldName(format.substr(at + 1, end - at - 1));
    field.quoted = quoted;
    at = end + 1;
    field.behind = TakeLiteral(format, &at);
    if (field.name.empty()) return absl::InvalidArgumentError("an operator without a name");
    if (field.behind.empty() && at < format.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "nothing stands between ", field.name, " and the operator at byte ", at,
          ": their values could not be told apart; put a blank or another mark between them"));
    }
    quoted = field.behind.ends_with('"');
    result.fields_.push_back(std::move(field));
  }
  if (result.fields_.empty()) return absl::InvalidArgumentError("the format has no operator");
  return result;
}

AccessLogFormat AccessLogFormat::Json() {
  AccessLogFormat format;
  format.json_ = true;
  return format;
}

std::vector<AccessLogFormat> AccessLogFormat::IstioDefaults() {
  return {*Text(kIstioTextFormat), *Text(kIstioTextFormatBefore19), Json()};
}

bool AccessLogFormat::ParseText(std::string_view line, AccessFields* out) const {
  if (!line.starts_with(begin_)) return false;
  line.remove_prefix(begin_.size());
  for (const Field& field : fields_) {
    size_t end = line.size();
    if (!field.behind.empty()) {
      end = field.quoted ? line.find(field.behind) : line.find(field.behind[0]);
      if (end == std::string_view::npos || !line.substr(end).starts_with(field.behind))
        return false;
    }
    const std::string_view value = line.substr(0, end);
    const bool ends_at_blank = field.behind.starts_with(' ');
    if (!field.quoted && !ends_at_blank && value.find(' ') != std::string_view::npos) return false;
    if (!value.empty() && value != "-") out->values.emplace_back(field.name, value);
    line.remove_prefix(end + field.behind.size());
  }
  return line.empty();
}

bool AccessLogFormat::ParseKeys(std::string_view line, AccessFields* out) const {
  if (!ParseAccessJson(line, out)) return false;
  for (auto& value : out->values) {
    const auto field = std::find_if(fields_.begin(), fields_.end(),
                                    [&](const Field& known) { return known.key == value.first; });
    if (field == fields_.end()) return false;
    value.first = field->name;
  }
  return out->values.size() >= std::min<size_t>(fields_.size(), 2);
}

bool AccessLogFormat::Parse(std::string_view line, AccessFields* out) const {
  out->values.clear();
  out->buffer.clear();
  if (any_json()) return ParseAccessJson(line, out);
  return json_ ? ParseKeys(line, out) : ParseText(line, out);
}

std::vector<std::string> AccessLogFormat::names() const {
  std::vector<std::string> names;
  for (const Field& field : fields_) names.push_back(field.name);
  return names;
}

}  // namespace ampari
