// RelayRecord: what a relay saw being promised, as lines of JSON in a file: the witness that tests
// compare with what arrived in the end. A line is written before the message it tells of is passed
// on.
//
//   {"event":"hello","instance":"<hex>","first":1,"last":3,"acknowledged":0,"settled":0,
//    "draining":false}
//   {"event":"welcome","instance":"<hex>","found":"FOUND_NEW","mark":0}
//   {"event":"frame","instance":"<hex>","sequence":1,"items":500,"checksum":"<hex>"}
//   {"event":"gap","instance":"<hex>","from":2,"to":4,"items":90,"reason":"REASON_RING_FULL"}
//   {"event":"ack","instance":"<hex>","from":1,"to":1,"settled":0,"heard":true}
//   {"event":"refusal","instance":"<hex>","sequence":2,"reason":"REASON_SEQUENCE"}
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "ampari/v1/shipping.pb.h"
#include "common/runtime/mutex.h"

namespace ampari {

// Thread-safe. Lines are appended with one write each, so that a killed relay leaves whole lines.
class RelayRecord {
 public:
  // An empty path records nothing.
  explicit RelayRecord(const std::string& path);
  ~RelayRecord();
  RelayRecord(const RelayRecord&) = delete;
  RelayRecord& operator=(const RelayRecord&) = delete;

  bool ok() const { return fd_ >= 0 || path_.empty(); }
  // `*instance` is set by a hello and names the stream's instance in what follows.
  void FromForwarder(const std::vector<std::string_view>& pieces, std::string* instance);
  // `heard`: whether the message will be passed on.
  void FromGateway(const v1::GatewayMessage& message, const std::string& instance, bool heard);

 private:
  void Write(const std::string& line);
  void Acknowledged(const v1::Ack& ack, const std::string& instance, bool heard);

  const std::string path_;
  int fd_ = -1;
  Mutex mu_;
  std::map<std::string, uint64_t> acknowledged_ ABSL_GUARDED_BY(mu_);  // by instance
};

}  // namespace ampari
