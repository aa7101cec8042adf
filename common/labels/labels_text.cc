#include <algorithm>

#include "absl/strings/ascii.h"
#include "common/labels/labels.h"
#include "common/labels/quote.h"

namespace ampari {
namespace {

bool IsLegacyName(std::string_view name) {
  return !name.empty() && !absl::ascii_isdigit(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return c == '_' || absl::ascii_isalnum(static_cast<unsigned char>(c));
         });
}

}  // namespace

std::string Labels::ToString() const {
  std::string out = "{";
  for (const Label label : *this) {
    if (out.size() > 1) out += ", ";
    if (IsLegacyName(label.name)) {
      out += label.name;
    } else {
      AppendQuoted(label.name, &out);
    }
    out += '=';
    AppendQuoted(label.value, &out);
  }
  out += '}';
  return out;
}

}  // namespace ampari
