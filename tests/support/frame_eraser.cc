// ampari-test-frame-eraser: deletes one frame of the only queue of a stopped gateway's database
// behind the gateway's back.
//
//   ampari-test-frame-eraser DIRECTORY/db N     the N-th stored frame, from 0; prints its items
#include <rocksdb/db.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "gateway/store/keys.h"
#include "gateway/store/record.h"

namespace ampari {
namespace {

struct Opened {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;

  ~Opened() {
    for (auto* family : families) db->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  }
};

rocksdb::Status Open(const std::string& directory, Opened* opened) {
  const rocksdb::DBOptions options;
  std::vector<std::string> names;
  rocksdb::Status status = rocksdb::DB::ListColumnFamilies(options, directory, &names);
  if (!status.ok()) return status;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) {
    families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  }
  rocksdb::DB* db = nullptr;
  status = rocksdb::DB::Open(options, directory, families, &opened->families, &db);
  opened->db.reset(db);
  return status;
}

rocksdb::Status Erase(const std::string& directory, uint64_t frame, uint64_t* items) {
  Opened opened;
  rocksdb::Status status = Open(directory, &opened);
  if (!status.ok()) return status;
  for (auto* family : opened.families) {
    if (!family->GetName().starts_with("q.")) continue;
    std::unique_ptr<rocksdb::Iterator> at(opened.db->NewIterator({}, family));
    for (at->SeekToFirst(); at->Valid() && frame > 0; at->Next()) --frame;
    if (!at->Valid()) return rocksdb::Status::NotFound("fewer frames are stored");
    const auto header = DecodeRecordHeader(at->value().ToStringView(),
                                           ParseSequenceKey(at->key().ToStringView()).value_or(0));
    if (!header.ok()) return rocksdb::Status::Corruption(header.status().ToString());
    *items = header->items;
    rocksdb::WriteOptions synced;
    synced.sync = true;
    return opened.db->Delete(synced, family, at->key());
  }
  return rocksdb::Status::NotFound("no queue");
}

}  // namespace
}  // namespace ampari

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: ampari-test-frame-eraser DIRECTORY/db N\n";
    return 2;
  }
  uint64_t items = 0;
  const rocksdb::Status erased =
      ampari::Erase(argv[1], std::strtoull(argv[2], nullptr, 10), &items);
  if (!erased.ok()) {
    std::cerr << erased.ToString() << "\n";
    return 1;
  }
  std::cout << items << "\n";
  return 0;
}
