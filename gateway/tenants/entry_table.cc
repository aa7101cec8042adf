#include "gateway/tenants/entry_table.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/runtime/absl_view.h"

namespace ampari {
namespace {

constexpr std::string_view kBearer = "bearer ";

bool SameToken(const TokenDigest& a, const TokenDigest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

absl::Status CheckToken(std::string_view token) {
  if (token.size() > kMaxTokenBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a token has at most ", kMaxTokenBytes,
                                                   " bytes, this one has ", token.size()));
  }
  for (char c : token) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      return absl::InvalidArgumentError(
          "a token is one word of printable ASCII, this one has other bytes");
    }
  }
  return absl::OkStatus();
}

}  // namespace

TokenDigest DigestToken(std::string_view token) {
  TokenDigest digest;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return digest;
}

absl::StatusOr<std::vector<TokenDigest>> ParseTokens(std::string_view text) {
  std::vector<TokenDigest> tokens;
  for (absl::string_view line : absl::StrSplit(ToAbsl(text), '\n')) {
    const std::string_view token = FromAbsl(absl::StripAsciiWhitespace(line));
    if (token.empty()) continue;
    absl::Status valid = CheckToken(token);
    if (!valid.ok()) return valid;
    if (tokens.size() == kMaxTokensPerEntry) {
      return absl::InvalidArgumentError(
          "more than two tokens: an entry has one, or an old and a new one");
    }
    tokens.push_back(DigestToken(token));
  }
  return tokens;
}

absl::StatusOr<EntryTable> EntryTable::Build(std::vector<EntryTokens> entries) {
  std::set<std::string_view> names;
  std::vector<std::pair<TokenDigest, std::string_view>> owners;
  for (const EntryTokens& entry : entries) {
    const std::string& name = entry.identity.entry;
    if (!names.insert(name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two forwarders entries are named \"", name, "\""));
    }
    for (const TokenDigest& token : entry.tokens) {
      for (const auto& [other, owner] : owners) {
        if (owner == name || !SameToken(other, token)) continue;
        return absl::InvalidArgumentError(absl::StrCat("the entries \"", ToAbsl(owner), "\" and \"",
                                                       name, "\" have the same token"));
      }
      owners.emplace_back(token, name);
    }
  }
  EntryTable table;
  table.entries_ = std::move(entries);
  return table;
}

EntryTable EntryTable::LoopbackOnly(EntryIdentity identity) {
  EntryTable table;
  table.loopback_only_ = true;
  table.entries_.push_back({std::move(identity), {}});
  return table;
}

absl::StatusOr<Admission> EntryTable::Authenticate(const Credential& credential) const {
  if (loopback_only_) {
    if (credential.from_loopback) return Admission{entries_.front().identity, {}};
    return absl::UnauthenticatedError(
        "this gateway has no `forwarders`, so it takes connections from loopback only");
  }
  if (credential.authorization.empty()) {
    return absl::UnauthenticatedError(
        "no token: set gateway.token or gateway.token_file of the forwarder");
  }
  if (!absl::StartsWithIgnoreCase(ToAbsl(credential.authorization), ToAbsl(kBearer))) {
    return absl::UnauthenticatedError(
        "the authorization metadata is not of the form `Bearer <token>`");
  }
  const TokenDigest shown = DigestToken(FromAbsl(
      absl::StripAsciiWhitespace(ToAbsl(credential.authorization.substr(kBearer.size())))));
  const EntryTokens* match = nullptr;
  for (const EntryTokens& entry : entries_) {
    for (const TokenDigest& token : entry.tokens) {
      if (SameToken(token, shown)) match = &entry;
    }
  }
  if (match == nullptr)
    return absl::UnauthenticatedError("the token belongs to no entry of `forwarders`");
  return Admission{match->identity, shown};
}

absl::StatusOr<EntryIdentity> EntryTable::Renew(const Admission& earlier) const {
  for (const EntryTokens& entry : entries_) {
    if (entry.identity.entry != earlier.identity.entry) continue;
    if (loopback_only_) return entry.identity;
    for (const TokenDigest& token : entry.tokens) {
      if (SameToken(token, earlier.token)) return entry.identity;
    }
    return absl::UnauthenticatedError(
        absl::StrCat("the token of entry \"", earlier.identity.entry, "\" was replaced"));
  }
  return absl::UnauthenticatedError(
      absl::StrCat("the entry \"", earlier.identity.entry, "\" was removed"));
}

}  // namespace ampari
