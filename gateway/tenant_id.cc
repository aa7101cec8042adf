#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"
#include "gateway/destination_config.h"

namespace ampari {

// The rules of Mimir, Loki and Cortex for X-Scope-OrgID.
std::string TenantIdProblem(const std::string& id) {
  constexpr size_t kMaxTenantId = 150;
  constexpr std::string_view kPunctuation = "!-_.*'()";
  if (id.empty()) return "a tenant id must not be empty";
  if (id.size() > kMaxTenantId)
    return absl::StrCat("a tenant id has at most ", kMaxTenantId, " bytes");
  if (id == "." || id == ".." || id == "__mimir_cluster")
    return absl::StrCat(Quoted(id), " is reserved");
  const bool valid = std::all_of(id.begin(), id.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           kPunctuation.find(c) != std::string_view::npos;
  });
  return valid ? ""
               : absl::StrCat(Quoted(id), " is not a tenant id: use letters, digits and !-_.*'()");
}

}  // namespace ampari
