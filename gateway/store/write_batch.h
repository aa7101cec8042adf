// WriteBatch: what one commit writes, atomically. Hides RocksDB's batch from the stages that fill
// it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class WriteBatch;
}  // namespace rocksdb

namespace ampari {

// One column family; shared, so that a reader may finish after the family was dropped.
class Family {
 public:
  Family(std::shared_ptr<rocksdb::DB> db, rocksdb::ColumnFamilyHandle* handle);
  ~Family();
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;

  rocksdb::ColumnFamilyHandle* handle() const { return handle_; }
  std::string name() const;

 private:
  std::shared_ptr<rocksdb::DB> db_;  // outlives the handle
  rocksdb::ColumnFamilyHandle* handle_;
};
using FamilyPtr = std::shared_ptr<Family>;

// Not thread-safe. Keeps the families it writes to alive.
class WriteBatch {
 public:
  WriteBatch();
  ~WriteBatch();
  WriteBatch(WriteBatch&& other) noexcept;
  WriteBatch& operator=(WriteBatch&&) = delete;

  void Put(const FamilyPtr& family, std::string_view key, std::string_view value);
  // The value is head followed by the pieces.
  void PutPieces(const FamilyPtr& family, std::string_view key, std::string_view head,
                 const std::vector<std::string_view>& pieces);
  void Delete(const FamilyPtr& family, std::string_view key);
  // Keys in [first, end).
  void DeleteRange(const FamilyPtr& family, std::string_view first, std::string_view end);

  bool empty() const;
  size_t bytes() const;
  rocksdb::WriteBatch* rep() { return rep_.get(); }

 private:
  std::unique_ptr<rocksdb::WriteBatch> rep_;
  std::vector<FamilyPtr> families_;
};

}  // namespace ampari
