#include "bench/mesh/family_table.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/runtime/absl_view.h"

namespace ampari::bench {

const std::vector<std::string_view>& EnvoyBounds() {
  static const std::vector<std::string_view> bounds = {
      "0.5",  "1",    "5",     "10",    "25",    "50",     "100",    "250",     "500",     "1000",
      "2500", "5000", "10000", "30000", "60000", "300000", "600000", "1800000", "3600000", "+Inf"};
  return bounds;
}

void Head(std::string_view name, std::string_view type, Help help, Exposition& out) {
  if (help == Help::kWith) {
    out.Comment(absl::StrCat("# HELP ", ToAbsl(name), " Simulated ", ToAbsl(type), "."));
  }
  out.Comment(absl::StrCat("# TYPE ", ToAbsl(name), " ", ToAbsl(type)));
}

void Families(std::string_view prefix, std::string_view names, std::string_view type,
              std::string_view labels, Help help, Motion motion, Exposition& out) {
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(' '));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    if (name.empty()) continue;
    const std::string full = absl::StrCat(ToAbsl(prefix), ToAbsl(name));
    Head(full, type, help, out);
    out.Sample(absl::StrCat(full, ToAbsl(labels)), Whole(motion == Motion::kConstant ? 0 : 7),
               motion);
  }
}

}  // namespace ampari::bench
