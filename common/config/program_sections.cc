#include "common/config/program_sections.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "common/config/address.h"
#include "common/labels/quote.h"
#include "common/runtime/absl_view.h"

namespace ampari {

void ReadHttpSection(MappingReader& root, std::string* listen_address, Secret* token) {
  MappingReader http = root.Child("http");
  http.Text("listen_address", listen_address);
  http.SecretOf("token", token);
  http.Finish();
  CheckAddress(http, "listen_address", *listen_address);
}

void ReadLogSection(MappingReader& root, std::string* level) {
  constexpr const char* kLevels[] = {"debug", "info", "warn", "error"};
  MappingReader log = root.Child("log");
  log.Text("level", level);
  log.Finish();
  if (std::find(std::begin(kLevels), std::end(kLevels), *level) == std::end(kLevels)) {
    log.Error("level",
              absl::StrCat(Quoted(*level), " is not a level; use debug, info, warn or error"));
  }
}

bool CheckAddress(MappingReader& block, std::string_view key, const std::string& address) {
  const absl::StatusOr<HostPort> parsed = ParseHostPort(address);
  if (!parsed.ok()) block.Error(key, FromAbsl(parsed.status().message()));
  return parsed.ok();
}

void WarnForeignSections(MappingReader& block, std::span<const ForeignSection> sections) {
  for (const ForeignSection& section : sections) {
    if (!block.Has(section.key)) continue;
    block.Warning(section.key, absl::StrCat("left out: this section belongs to ", section.owner));
  }
}

}  // namespace ampari
