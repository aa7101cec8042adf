// A gateway in memory: keeps per instance what arrived, in order, and acknowledges it. Real gRPC on
// a free port.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ampari {

// What one instance delivered: items per sequence, from 1 on; gaps count as expired.
struct FakeInstance {
  std::vector<uint64_t> items;
  uint64_t expired = 0;
  std::vector<uint64_t> blocks;  // numbers, as they were registered
  uint64_t drained = 0, resent = 0;
  std::vector<std::string> registrations, frames;  // whole, with keep_bytes
};

struct FakeGatewayOptions {
  std::string token = {};   // expected; empty: any
  bool acknowledge = true;  // false: takes frames and says nothing
  int port = 0;
  bool keep_bytes = false;
  bool settle = false;  // what it acknowledges is settled as well
};

// Thread-safe. State survives Restart(), as a disk does.
class FakeGateway {
 public:
  explicit FakeGateway(FakeGatewayOptions options);
  ~FakeGateway();

  std::string address() const;
  void Stop();     // breaks all streams
  void Restart();  // at the same address
  void Acknowledge(bool acknowledge);
  std::map<std::string, FakeInstance> instances() const;
  uint64_t hellos() const;
  // Words for the first thing that broke the contract; empty: nothing did.
  std::string complaint() const;

 private:
  class Service;
  std::unique_ptr<Service> service_;
};

}  // namespace ampari
