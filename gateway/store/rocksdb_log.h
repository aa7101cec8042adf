// What RocksDB says, as lines of our log.
#pragma once

#include <memory>

namespace rocksdb {
class Logger;
}

namespace ampari {

// Warnings and errors, at most a line of each per second, cut at 1 KiB. Thread-safe. RocksDB's own
// LOG file is not used: once a line cannot be written to it (a full disk), Debian's build aborts at
// the next one.
std::shared_ptr<rocksdb::Logger> NewRocksdbLog();

}  // namespace ampari
