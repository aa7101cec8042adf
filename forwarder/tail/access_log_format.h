// AccessLogFormat: an Envoy access-log format read backwards, from a line to its fields
// (envoyproxy.io, configuration/observability/access_log/usage). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace ampari {

// Fields of one line by name; a value that Envoy did not have ("-" or null) is left out. Views
// point into the line, the format or `buffer`.
struct AccessFields {
  std::vector<std::pair<std::string_view, std::string_view>> values;
  std::string buffer;  // JSON texts that had escapes, and joined names
  std::string_view Get(std::string_view name) const;  // empty: absent
};

// Istio's default text since 1.9, and before.
extern const char kIstioTextFormat[];
extern const char kIstioTextFormatBefore19[];

// Immutable; thread-safe.
class AccessLogFormat {
 public:
  // A format as Envoy and Istio take it: literals and %OPERATORS%, or a JSON object, nested or not,
  // whose values are operators: a line of it has two of its keys (or all) and no others.
  // InvalidArgument says where a text cannot be read, or where two operators have nothing between
  // them and no line could be told apart.
  static absl::StatusOr<AccessLogFormat> Text(std::string_view format);
  // Lines of JSON, whatever their keys; fields of nested objects are joined by dots.
  static AccessLogFormat Json();
  // Istio's text, now and before 1.9, and JSON.
  static std::vector<AccessLogFormat> IstioDefaults();

  // False: the line is not of this format. A field between quotes ends at the first quote that the
  // format goes on after; others hold no blank.
  bool Parse(std::string_view line, AccessFields* out) const;
  // Names in the order of the format; none for Json().
  std::vector<std::string> names() const;
  bool any_json() const { return json_ && fields_.empty(); }  // of Json()
  const std::string& text() const { return text_; }           // as it was given; empty for Json()

  // The name of an operator's field, as Istio's JSON names it where it does: RESPONSE_CODE is
  // response_code, REQ(:METHOD) is method, REQ(X-FOO) is x_foo, RESP(X-FOO) is response_x_foo,
  // anything else its letters and digits in lower case.
  static std::string FieldName(std::string_view operator_text);

 private:
  struct Field {
    std::string name;
    std::string behind;  // the literal that follows
    bool quoted = false;
    std::string key;  // of JSON
  };

  static std::optional<AccessLogFormat> OfKeys(std::string_view format);
  bool ParseKeys(std::string_view line, AccessFields* out) const;
  bool ParseText(std::string_view line, AccessFields* out) const;

  bool json_ = false;
  std::string text_;
  std::string begin_;  // literal before the first field
  std::vector<Field> fields_;
};

}  // namespace ampari
