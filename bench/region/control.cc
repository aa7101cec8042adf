#include "bench/region/control.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "bench/region/json_value.h"

namespace ampari::bench {
namespace {

absl::Status AddJson(const std::string& body, std::map<std::string, std::string>* values) {
  const absl::StatusOr<JsonValue> object = ParseJson(body);
  if (!object.ok() || object->kind != JsonValue::Kind::kObject) {
    return absl::InvalidArgumentError("the body is not a JSON object");
  }
  for (const auto& [name, value] : object->members) {
    if (value.text.empty() && value.kind != JsonValue::Kind::kString) {
      return absl::InvalidArgumentError(absl::StrCat("not a plain value: ", name));
    }
    (*values)[name] = value.text;
  }
  return absl::OkStatus();
}

}  // namespace

std::map<std::string, std::string> QueryValues(std::string_view query) {
  std::map<std::string, std::string> values;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    values[std::string(pair.substr(0, equals))] = std::string(pair.substr(equals + 1));
  }
  return values;
}

absl::StatusOr<std::map<std::string, std::string>> ControlValues(const ServerRequest& request) {
  std::map<std::string, std::string> values = QueryValues(request.query);
  if (request.body.empty()) return values;
  if (absl::Status added = AddJson(request.body, &values); !added.ok()) return added;
  return values;
}

std::string MetadataLines(const TenantStore& tenant) {
  std::string out;
  for (const auto& [family, entry] : tenant.metadata()) {
    absl::StrAppend(&out, family, "\t", entry.type, "\t", entry.unit, "\t", entry.help, "\n");
  }
  return out;
}

}  // namespace ampari::bench
