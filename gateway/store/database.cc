#include "gateway/store/database.h"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/metadata.h>
#include <rocksdb/table_properties.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/runtime/check.h"
#include "gateway/store/database_options.h"

namespace ampari {
namespace {

constexpr char kQueuePrefix[] = "q.";
constexpr char kAsidePrefix[] = "aside.";
constexpr size_t kReadAheadBytes = size_t{2} << 20;

rocksdb::Slice ToSlice(std::string_view text) { return rocksdb::Slice(text.data(), text.size()); }
std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

absl::Status ToStatus(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  std::string words = status.ToString();
  if (status.IsNotFound()) return absl::NotFoundError(words);
  if (status.IsCorruption()) return absl::DataLossError(words);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(words);
  return absl::UnavailableError(words);
}

std::vector<rocksdb::ColumnFamilyDescriptor> Descriptors(const std::vector<std::string>& names) {
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) descriptors.emplace_back(name, FamilyOptions(name));
  return descriptors;
}

// The families of an existing database and those that every database has.
absl::StatusOr<std::vector<std::string>> FamilyNames(const std::string& directory,
                                                     const rocksdb::DBOptions& options) {
  std::vector<std::string> names;
  if (std::filesystem::exists(directory + "/CURRENT")) {
    rocksdb::Status status = rocksdb::DB::ListColumnFamilies(options, directory, &names);
    if (!status.ok()) return ToStatus(status);
  }
  for (const char* always : {"default", "meta", "series"}) {
    if (std::find(names.begin(), names.end(), always) == names.end()) names.emplace_back(always);
  }
  return names;
}

}  // namespace

absl::StatusOr<std::shared_ptr<Database>> Database::Open(const std::string& directory,
                                                         uint64_t max_bytes, WalRecovery recovery,
                                                         rocksdb::Env& env) {
  std::error_code ignored;  // of what stands there in the way, RocksDB tells more
  std::filesystem::create_directories(directory, ignored);
  rocksdb::DBOptions options = DatabaseOptions(max_bytes, recovery, env);
  absl::StatusOr<std::vector<std::string>> names = FamilyNames(directory, options);
  if (!names.ok()) return names.status();
  rocksdb::DB* raw = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::Status status =
      rocksdb::DB::Open(options, directory, Descriptors(*names), &handles, &raw);
  if (!status.ok()) {
    if (status.ToString().find("LOCK") != std::string::npos) {
      return absl::FailedPreconditionError(absl::StrCat("another process holds ", directory));
    }
    return ToStatus(status);
  }
  std::shared_ptr<Database> database(new Database());
  database->db_.reset(raw);
  MutexLock lock(database->mu_);
  for (rocksdb::ColumnFamilyHandle* handle : handles) {
    database->families_[handle->GetName()] = std::make_shared<Family>(database->db_, handle);
  }
  database->meta_ = database->families_.at("meta");
  database->series_ = database->families_.at("series");
  database->default_ = database->families_.at("default");
  return database;
}

Database::~Database() = default;

FamilyPtr Database::Find(const std::string& name) const {
  MutexLock lock(mu_);
  auto it = families_.find(name);
  return it == families_.end() ? nullptr : it->second;
}

FamilyPtr Database::queue(Generation generation) const {
  return Find(absl::StrCat(kQueuePrefix, generation));
}

FamilyPtr Database::aside(Generation tenant) const {
  return Find(absl::StrCat(kAsidePrefix, tenant));
}

std::vector<Generation> Database::Generations(std::string_view prefix) const {
  std::vector<Generation> generations;
  MutexLock lock(mu_);
  for (const auto& [name, family] : families_) {
    if (!name.starts_with(prefix)) continue;
    Generation generation = 0;
    const char* begin = name.data() + prefix.size();
    std::from_chars(begin, name.data() + name.size(), generation);
    generations.push_back(generation);
  }
  return generations;
}

std::vector<Generation> Database::queues() const { return Generations(kQueuePrefix); }
std::vector<Generation> Database::asides() const { return Generations(kAsidePrefix); }

absl::Status Database::Create(const std::string& name) {
  if (Find(name) != nullptr) return absl::OkStatus();
  rocksdb::ColumnFamilyHandle* handle = nullptr;
  rocksdb::Status status = db_->CreateColumnFamily(FamilyOptions(name), name, &handle);
  if (!status.ok()) return ToStatus(status);
  MutexLock lock(mu_);
  families_[name] = std::make_shared<Family>(db_, handle);
  return absl::OkStatus();
}

absl::Status Database::Drop(const std::string& name) {
  FamilyPtr family = Find(name);
  if (family == nullptr) return absl::OkStatus();
  rocksdb::Status status = db_->DropColumnFamily(family->handle());
  if (!status.ok()) return ToStatus(status);
  MutexLock lock(mu_);
  families_.erase(name);
  return absl::OkStatus();
}

absl::Status Database::CreateQueue(Generation generation) {
  return Create(absl::StrCat(kQueuePrefix, generation));
}
absl::Status Database::CreateAside(Generation tenant) {
  return Create(absl::StrCat(kAsidePrefix, tenant));
}
absl::Status Database::DropQueue(Generation generation) {
  return Drop(absl::StrCat(kQueuePrefix, generation));
}
absl::Status Database::DropAside(Generation tenant) {
  return Drop(absl::StrCat(kAsidePrefix, tenant));
}

absl::Status Database::WriteSynced(WriteBatch& batch) {
  rocksdb::WriteOptions options;
  options.sync = true;
  return ToStatus(db_->Write(options, batch.rep()));
}

SnapshotPtr Database::Snapshot() const {
  return SnapshotPtr(db_->GetSnapshot(), [db = db_](const rocksdb::Snapshot* snapshot) {
    db->ReleaseSnapshot(snapshot);
  });
}

absl::StatusOr<std::string> Database::Get(const FamilyPtr& family, std::string_view key) const {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  std::string value;
  rocksdb::Status status = db_->Get(options, family->handle(), ToSlice(key), &value);
  if (!status.ok()) return ToStatus(status);
  return value;
}

absl::Status Database::Scan(const FamilyPtr& family, std::string_view first, std::string_view end,
                            const SnapshotPtr& snapshot, const Visitor& visit) const {
  rocksdb::Slice upper = ToSlice(end);
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.snapshot = snapshot.get();
  options.iterate_upper_bound = &upper;
  options.readahead_size = kReadAheadBytes;
  std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, family->handle()));
  for (it->Seek(ToSlice(first)); it->Valid(); it->Next()) {
    if (!visit(ToView(it->key()), ToView(it->value()))) break;
  }
  return ToStatus(it->status());
}

absl::StatusOr<std::optional<KeyValue>> Database::Last(const FamilyPtr& family) const {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, family->handle()));
  it->SeekToLast();
  if (!it->status().ok()) return ToStatus(it->status());
  if (!it->Valid()) return std::optional<KeyValue>();
  return std::optional<KeyValue>(KeyValue{it->key().ToString(), it->value().ToString()});
}

std::vector<Database::FileRange> Database::Files(const FamilyPtr& family) const {
  // The counts in the metadata are filled in lazily; those of the tables are right.
  rocksdb::TablePropertiesCollection tables;
  if (!db_->GetPropertiesOfAllTables(family->handle(), &tables).ok()) return {};
  std::map<std::string, const rocksdb::TableProperties*> by_name;
  for (const auto& [path, table] : tables) {
    by_name[path.substr(path.rfind('/') + 1)] = table.get();
  }
  rocksdb::ColumnFamilyMetaData metadata;
  db_->GetColumnFamilyMetaData(family->handle(), &metadata);
  std::vector<FileRange> files;
  for (const rocksdb::LevelMetaData& level : metadata.levels) {
    for (const rocksdb::SstFileMetaData& file : level.files) {
      auto table = by_name.find(file.name.substr(file.name.rfind('/') + 1));
      if (table == by_name.end()) continue;
      const rocksdb::TableProperties& counts = *table->second;
      files.push_back({file.smallestkey, file.largestkey, counts.num_entries,
                       counts.num_deletions - counts.num_range_deletions,
                       counts.num_range_deletions});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const FileRange& a, const FileRange& b) { return a.first < b.first; });
  return files;
}

absl::Status Database::DropFilesBelow(const FamilyPtr& family, std::string_view end) const {
  rocksdb::Slice upper = ToSlice(end);
  return ToStatus(rocksdb::DeleteFilesInRange(db_.get(), family->handle(), nullptr, &upper,
                                              /*include_end=*/false));
}

absl::Status Database::FlushAll() const {
  std::vector<FamilyPtr> families;
  {
    MutexLock lock(mu_);
    for (const auto& [name, family] : families_) families.push_back(family);
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  for (const FamilyPtr& family : families) handles.push_back(family->handle());
  return ToStatus(db_->Flush(rocksdb::FlushOptions(), handles));
}

absl::Status Database::Compact(const FamilyPtr& family, std::string_view end) const {
  rocksdb::Slice upper = ToSlice(end);
  return ToStatus(
      db_->CompactRange(rocksdb::CompactRangeOptions(), family->handle(), nullptr, &upper));
}

}  // namespace ampari
