// Entries: the table of who may connect, kept current: it reads token files again when they change
// and is replaced by a reload of the configuration.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/config/secret.h"
#include "common/runtime/mutex.h"
#include "gateway/config.h"
#include "gateway/tenants/entry_table.h"

namespace ampari {

// Thread-safe. Authenticate and Renew take a lock for a moment and do no I/O, so that they may be
// called from a reactor; Prepare, Replace and Refresh read files.
class Entries {
 public:
  Entries();
  ~Entries();
  Entries(const Entries&) = delete;
  Entries& operator=(const Entries&) = delete;

  // The entries of a configuration with their tokens, not in force yet.
  class Prepared;
  // Fails as a whole, naming the entry, when a token cannot be read or is not valid.
  static absl::StatusOr<std::unique_ptr<Prepared>> Prepare(const GatewayConfig& config);
  void Take(std::unique_ptr<Prepared> prepared);
  // Prepare and Take; after an error the former entries stay in force.
  absl::Status Replace(const GatewayConfig& config);
  // Reads the token files again. An entry whose file cannot be read or is not valid keeps its last
  // tokens; the status names the first such entry. Call it every few seconds.
  absl::Status Refresh();

  absl::StatusOr<Admission> Authenticate(const Credential& credential) const;
  absl::StatusOr<EntryIdentity> Renew(const Admission& earlier) const;
  // Names of the configured entries, for status pages.
  std::vector<EntryIdentity> identities() const;

 private:
  // An entry and where its tokens come from.
  struct Source {
    EntryIdentity identity;
    std::unique_ptr<SecretSource> secret;
    std::vector<TokenDigest> tokens;  // the last valid ones
  };
  static absl::StatusOr<std::vector<Source>> ReadSources(const GatewayConfig& config);
  static absl::StatusOr<EntryTable> TableOf(const std::vector<Source>& sources);

  mutable Mutex mu_;
  std::shared_ptr<const EntryTable> table_ ABSL_GUARDED_BY(mu_);
  std::vector<EntryIdentity> identities_ ABSL_GUARDED_BY(mu_);
  Mutex refresh_mu_;  // held while files are read; before mu_
  std::vector<Source> sources_ ABSL_GUARDED_BY(refresh_mu_);
};

class Entries::Prepared {
  friend class Entries;
  std::vector<Source> sources_;
  std::shared_ptr<const EntryTable> table_;
  std::vector<EntryIdentity> identities_;
};

// The identities of a configuration, without their tokens. A configuration without `forwarders` has
// one, "default".
std::vector<EntryIdentity> IdentitiesOf(const GatewayConfig& config);

}  // namespace ampari
