// ModelLogGateway: what a gateway promises of streams of logs (proto/README.md), without disk and
// threads, for one producer: marks, compare-and-set of positions, rounds, offers, retirement,
// supersession. A file that is retired stays known to all but who retired it. It can
// lose its store or come back with an older copy.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ampari/v1/shipping.pb.h"

namespace ampari {

class ModelLogGateway {
 public:
  struct Line {
    char file;
    uint64_t number;
  };
  struct Frame {
    std::string instance;
    uint64_t sequence = 0;
    std::vector<Line> lines;
  };
  struct Instance {
    uint64_t epoch = 0, mark = 0, settled = 0;
    bool alone = true, alive = true;
  };
  struct Retired {
    uint64_t at = 0, by = 0;  // position, and epoch of who retired it
  };
  struct Disk {
    std::string id;
    std::map<std::string, Instance> instances;
    std::map<std::string, uint64_t> positions;
    std::map<std::string, Retired> retired;
    std::vector<Frame> frames;
    uint64_t epochs = 0;
  };
  // The gateway's end; answers wait in `out`.
  struct Stream {
    std::string instance;
    uint32_t round = 0;
    bool refusing = false, closed = false;
    std::deque<v1::GatewayMessage> out;
  };

  std::shared_ptr<Stream> Open();
  void Take(Stream& stream, const v1::ForwarderMessage& message);
  void Close(Stream& stream);
  // The process, whose instances begin with its name, is dead for longer than anybody waits for it.
  void Bury(const std::string& process);
  // Everything durable so far has an outcome.
  void Settle();
  void LoseStore();
  void Keep() { kept_ = disk; }
  void RollBack();  // unless an instance is younger than what was kept

  Disk disk{"s1", {}, {}, {}, {}, 0};
  std::set<std::pair<char, uint64_t>> delivered;  // out of stores that were lost
  std::string complaint;
  uint64_t refusals = 0, offers_adopted = 0, retired = 0;
  uint64_t refused_retired = 0;  // parts of files that are retired

 private:
  void TakeHello(Stream& stream, const v1::Hello& hello);
  void TakeFrame(Stream& stream, uint32_t round, const std::string& frame);
  void Retire(const std::string& key, const Instance& by);
  std::optional<uint64_t> PositionFor(const Instance& instance, const std::string& key) const;
  bool Compare(Stream& stream, uint64_t sequence, const std::string& frame);
  void Judge();
  void CloseAll();
  void Deliver();

  std::vector<std::shared_ptr<Stream>> streams_;
  Disk kept_ = disk;
  int stores_ = 1;
};

}  // namespace ampari
