#include "gateway/store/write_batch.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "common/runtime/check.h"

namespace ampari {
namespace {

rocksdb::Slice ToSlice(std::string_view text) { return rocksdb::Slice(text.data(), text.size()); }

void CheckOk(const rocksdb::Status& status) { Check(status.ok(), "a batch in memory takes all"); }

}  // namespace

Family::Family(std::shared_ptr<rocksdb::DB> db, rocksdb::ColumnFamilyHandle* handle)
    : db_(std::move(db)), handle_(handle) {}

Family::~Family() { db_->DestroyColumnFamilyHandle(handle_).PermitUncheckedError(); }

std::string Family::name() const { return handle_->GetName(); }

WriteBatch::WriteBatch() : rep_(std::make_unique<rocksdb::WriteBatch>()) {}
WriteBatch::~WriteBatch() = default;
WriteBatch::WriteBatch(WriteBatch&& other) noexcept = default;

void WriteBatch::Put(const FamilyPtr& family, std::string_view key, std::string_view value) {
  families_.push_back(family);
  CheckOk(rep_->Put(family->handle(), ToSlice(key), ToSlice(value)));
}

void WriteBatch::PutPieces(const FamilyPtr& family, std::string_view key, std::string_view head,
                           const std::vector<std::string_view>& pieces) {
  families_.push_back(family);
  std::vector<rocksdb::Slice> slices{ToSlice(head)};
  for (std::string_view piece : pieces) slices.push_back(ToSlice(piece));
  rocksdb::Slice key_slice = ToSlice(key);
  CheckOk(rep_->Put(family->handle(), rocksdb::SliceParts(&key_slice, 1),
                    rocksdb::SliceParts(slices.data(), static_cast<int>(slices.size()))));
}

void WriteBatch::Delete(const FamilyPtr& family, std::string_view key) {
  families_.push_back(family);
  CheckOk(rep_->Delete(family->handle(), ToSlice(key)));
}

void WriteBatch::DeleteRange(const FamilyPtr& family, std::string_view first,
                             std::string_view end) {
  families_.push_back(family);
  CheckOk(rep_->DeleteRange(family->handle(), ToSlice(first), ToSlice(end)));
}

bool WriteBatch::empty() const { return rep_->Count() == 0; }

size_t WriteBatch::bytes() const { return rep_->GetDataSize(); }

}  // namespace ampari
