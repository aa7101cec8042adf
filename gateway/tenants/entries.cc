#include "gateway/tenants/entries.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace ampari {

namespace {

constexpr char kLoopbackEntry[] = "default";

EntryIdentity WithDestinations(EntryIdentity identity, const GatewayConfig& config) {
  for (const TenantConfig& tenant : config.tenants) {
    if (tenant.id != identity.tenant) continue;
    identity.takes_metrics = !tenant.remote_write.empty();
    identity.takes_logs = !tenant.loki_write.empty();
  }
  return identity;
}

absl::StatusOr<std::vector<TokenDigest>> ReadTokens(const std::string& entry,
                                                    SecretSource& secret) {
  absl::StatusOr<std::string> text = secret.Get();
  if (!text.ok()) {
    return absl::Status(text.status().code(), absl::StrCat("forwarders entry \"", entry,
                                                           "\": ", text.status().message()));
  }
  absl::StatusOr<std::vector<TokenDigest>> tokens = ParseTokens(*text);
  if (tokens.ok() && tokens->empty()) tokens = absl::InvalidArgumentError("its token is empty");
  if (!tokens.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("forwarders entry \"", entry, "\": ", tokens.status().message()));
  }
  return tokens;
}

}  // namespace

std::vector<EntryIdentity> IdentitiesOf(const GatewayConfig& config) {
  std::vector<EntryIdentity> identities;
  for (const ForwarderEntry& entry : config.forwarders) {
    identities.push_back(WithDestinations({entry.name, entry.tenant, entry.labels}, config));
  }
  if (identities.empty()) {
    const std::string tenant = config.tenants.empty() ? std::string() : config.tenants.front().id;
    identities.push_back(WithDestinations({kLoopbackEntry, tenant, Labels()}, config));
  }
  return identities;
}

Entries::Entries() : table_(std::make_shared<const EntryTable>()) {}
Entries::~Entries() = default;

absl::StatusOr<std::vector<Entries::Source>> Entries::ReadSources(const GatewayConfig& config) {
  std::vector<Source> sources;
  for (const ForwarderEntry& entry : config.forwarders) {
    auto secret = std::make_unique<SecretSource>(entry.token);
    absl::StatusOr<std::vector<TokenDigest>> tokens = ReadTokens(entry.name, *secret);
    if (!tokens.ok()) return tokens.status();
    sources.push_back({WithDestinations({entry.name, entry.tenant, entry.labels}, config),
                       std::move(secret), *std::move(tokens)});
  }
  return sources;
}

absl::StatusOr<EntryTable> Entries::TableOf(const std::vector<Source>& sources) {
  std::vector<EntryTokens> entries;
  for (const Source& source : sources) entries.push_back({source.identity, source.tokens});
  return EntryTable::Build(std::move(entries));
}

absl::StatusOr<std::unique_ptr<Entries::Prepared>> Entries::Prepare(const GatewayConfig& config) {
  absl::StatusOr<std::vector<Source>> sources = ReadSources(config);
  if (!sources.ok()) return sources.status();
  auto prepared = std::make_unique<Prepared>();
  prepared->sources_ = *std::move(sources);
  prepared->identities_ = IdentitiesOf(config);
  absl::StatusOr<EntryTable> table = TableOf(prepared->sources_);
  if (!table.ok()) return table.status();
  if (prepared->sources_.empty()) {
    *table = EntryTable::LoopbackOnly(prepared->identities_.front());
  }
  prepared->table_ = std::make_shared<const EntryTable>(*std::move(table));
  return prepared;
}

void Entries::Take(std::unique_ptr<Prepared> prepared) {
  MutexLock refresh_lock(refresh_mu_);
  sources_ = std::move(prepared->sources_);
  MutexLock lock(mu_);
  table_ = std::move(prepared->table_);
  identities_ = std::move(prepared->identities_);
}

absl::Status Entries::Replace(const GatewayConfig& config) {
  absl::StatusOr<std::unique_ptr<Prepared>> prepared = Prepare(config);
  if (!prepared.ok()) return prepared.status();
  Take(*std::move(prepared));
  return absl::OkStatus();
}

absl::Status Entries::Refresh() {
  MutexLock refresh_lock(refresh_mu_);
  absl::Status first_problem;
  bool changed = false;
  for (Source& source : sources_) {
    absl::StatusOr<std::vector<TokenDigest>> tokens =
        ReadTokens(source.identity.entry, *source.secret);
    if (!tokens.ok()) {
      first_problem.Update(tokens.status());
    } else if (*tokens != source.tokens) {
      source.tokens = *std::move(tokens);
      changed = true;
    }
  }
  if (!changed) return first_problem;
  absl::StatusOr<EntryTable> table = TableOf(sources_);
  if (!table.ok()) return table.status();
  MutexLock lock(mu_);
  table_ = std::make_shared<const EntryTable>(*std::move(table));
  return first_problem;
}

absl::StatusOr<Admission> Entries::Authenticate(const Credential& credential) const {
  std::shared_ptr<const EntryTable> table;
  {
    MutexLock lock(mu_);
    table = table_;
  }
  return table->Authenticate(credential);
}

absl::StatusOr<EntryIdentity> Entries::Renew(const Admission& earlier) const {
  std::shared_ptr<const EntryTable> table;
  {
    MutexLock lock(mu_);
    table = table_;
  }
  return table->Renew(earlier);
}

std::vector<EntryIdentity> Entries::identities() const {
  MutexLock lock(mu_);
  return identities_;
}

}  // namespace ampari
