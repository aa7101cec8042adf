#include "gateway/store/database_options.h"

#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <memory>

#include "gateway/store/rocksdb_log.h"

namespace ampari {

uint64_t WalCap(uint64_t max_bytes) { return std::min(kMaxWalBytes, max_bytes / 8); }

rocksdb::DBOptions DatabaseOptions(uint64_t max_bytes, WalRecovery recovery, rocksdb::Env& env) {
  rocksdb::DBOptions options;
  options.env = &env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  options.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(kWriteBufferBytes);
  options.max_total_wal_size = WalCap(max_bytes);
  options.wal_recovery_mode = recovery == WalRecovery::kTolerateCorruptedTail
                                  ? rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords
                                  : rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  options.track_and_verify_wals_in_manifest = true;
  options.avoid_flush_during_recovery = true;
  options.bytes_per_sync = uint64_t{1} << 20;
  options.max_write_batch_group_size_bytes = uint64_t{32} << 20;
  options.max_open_files = -1;
  options.max_background_jobs = 2;
  options.max_bgerror_resume_count =
      0;  // errors are ours to judge: a failed fsync is never retried
  options.info_log = NewRocksdbLog();
  options.stats_dump_period_sec = 0;
  return options;
}

rocksdb::ColumnFamilyOptions FamilyOptions(const std::string& name) {
  rocksdb::ColumnFamilyOptions options;
  bool frames = name.starts_with("q.");
  options.write_buffer_size = kWriteBufferBytes;
  options.compression = frames ? rocksdb::kNoCompression : rocksdb::kZSTD;
  options.level_compaction_dynamic_level_bytes = false;
  rocksdb::BlockBasedTableOptions table;
  table.block_size = 16 << 10;
  table.cache_index_and_filter_blocks = false;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace ampari
