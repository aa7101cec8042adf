#include "gateway/forwarder_entries.h"

#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"

namespace ampari {
namespace {

constexpr size_t kMaxEntryName = 128;  // bytes

ForwarderEntry ReadEntry(MappingReader& block, const std::string& tenant) {
  ForwarderEntry entry;
  entry.tenant = tenant;
  block.Text("name", &entry.name);
  if (entry.name.empty() || entry.name.size() > kMaxEntryName) {
    block.Error("name", absl::StrCat("a name of 1 to ", kMaxEntryName,
                                     " bytes is needed; it is the entry's identity"));
  }
  block.SecretOf("token", &entry.token);
  if (entry.token.empty())
    block.Error("token", "an entry without a token lets nobody in; add token_file or token");
  block.LabelSet("labels", &entry.labels);
  for (const Label label : entry.labels) {
    if (label.name.starts_with("__")) {
      block.Error("labels",
                  absl::StrCat(Quoted(label.name),
                               ": names that begin with __ are internal; choose another"));
    }
  }
  block.Finish();
  return entry;
}

}  // namespace

std::vector<PlacedEntry> ReadForwarderEntries(MappingReader& block, const std::string& tenant) {
  std::vector<PlacedEntry> entries;
  for (MappingReader& entry : block.Children("forwarders")) {
    if (entry.present()) entries.push_back({ReadEntry(entry, tenant), entry.where(), entry.line()});
  }
  return entries;
}

void CheckEntries(const std::vector<PlacedEntry>& entries, ConfigFile& file) {
  for (size_t i = 0; i < entries.size(); ++i) {
    const PlacedEntry& later = entries[i];
    for (size_t j = 0; j < i; ++j) {
      const PlacedEntry& first = entries[j];
      if (!later.entry.name.empty() && later.entry.name == first.entry.name) {
        file.AddError(later.line, absl::StrCat(later.where, ".name: ", Quoted(later.entry.name),
                                               " is the name of another entry, in line ",
                                               first.line, "; rename one"));
      }
      if (!later.entry.token.value.empty() && later.entry.token.value == first.entry.token.value) {
        file.AddError(
            later.line,
            absl::StrCat(later.where, ".token: the same token as that of the entry in line ",
                         first.line, "; a token belongs to one entry"));
      }
    }
  }
}

}  // namespace ampari
