// EntryTable: who may connect. A pure look-up from a credential to a named entry, and so to a
// tenant and the labels that it enforces. Identity comes from here alone, never from what a
// forwarder says.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/labels/labels.h"

namespace ampari {

// What a credential stands for.
struct EntryIdentity {
  std::string entry;
  std::string tenant;
  Labels labels;  // enforced: they override
  // Whether the tenant has a destination for the signal; without one a stream of it is refused in
  // the welcome.
  bool takes_metrics = false;
  bool takes_logs = false;
};

// A digest of a token: what is kept of it in memory, and what is compared.
using TokenDigest = std::array<uint8_t, 32>;
TokenDigest DigestToken(std::string_view token);

struct EntryTokens {
  EntryIdentity identity;
  std::vector<TokenDigest>
      tokens;  // at most kMaxTokensPerEntry; none: nobody can connect as this entry
};

inline constexpr size_t kMaxTokensPerEntry = 2;  // old and new, while a token is being replaced
inline constexpr size_t kMaxTokenBytes = 4096;

// The tokens of a secret's text: one per line, surrounding spaces and empty lines left out.
// InvalidArgument (without a byte of the text) for more than kMaxTokensPerEntry, a token that is
// longer than the bound or has unprintable bytes.
absl::StatusOr<std::vector<TokenDigest>> ParseTokens(std::string_view text);

// What a call showed.
struct Credential {
  std::string_view authorization;  // value of the `authorization` metadata, empty when absent
  bool from_loopback = false;
};

// Who was let in, and by which token, so that an open stream can be asked again after a reload.
struct Admission {
  EntryIdentity identity;
  TokenDigest token{};
};

// Immutable after Build; thread-safe.
class EntryTable {
 public:
  EntryTable() = default;  // admits nobody
  // InvalidArgument: an entry's name twice, or one token in two entries (they are named, the token
  // is not).
  static absl::StatusOr<EntryTable> Build(std::vector<EntryTokens> entries);
  // A gateway without `forwarders`: everyone on loopback is `identity`, nobody else is admitted.
  static EntryTable LoopbackOnly(EntryIdentity identity);

  // Unauthenticated says what is missing, never what was shown. Takes the same time whichever token
  // was right: all tokens of all entries are compared.
  absl::StatusOr<Admission> Authenticate(const Credential& credential) const;
  // The identity that an earlier admission has now; Unauthenticated when its entry or its token is
  // gone.
  absl::StatusOr<EntryIdentity> Renew(const Admission& earlier) const;

 private:
  std::vector<EntryTokens> entries_;
  bool loopback_only_ = false;
};

}  // namespace ampari
