// RocksDB's options for the store, in one place: opening and repair use the same.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/store/database.h"

namespace rocksdb {
class Env;
struct ColumnFamilyOptions;
struct DBOptions;
}  // namespace rocksdb

namespace ampari {

rocksdb::DBOptions DatabaseOptions(uint64_t max_bytes, WalRecovery recovery, rocksdb::Env& env);
// `name`: of the column family; registrations and aside are compressed, frames already are.
rocksdb::ColumnFamilyOptions FamilyOptions(const std::string& name);

}  // namespace ampari
