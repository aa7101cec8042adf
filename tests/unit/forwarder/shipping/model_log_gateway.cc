#include "tests/unit/forwarder/shipping/model_log_gateway.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/frame/frame.h"
#include "forwarder/shipping/log_parts.h"
#include "tests/unit/forwarder/shipping/line_reader.h"

namespace ampari {

std::shared_ptr<ModelLogGateway::Stream> ModelLogGateway::Open() {
  streams_.push_back(std::make_shared<Stream>());
  return streams_.back();
}

void ModelLogGateway::Close(Stream& stream) {
  stream.closed = true;
  std::erase_if(streams_, [](const auto& s) { return s->closed; });
}

void ModelLogGateway::CloseAll() {
  for (const auto& stream : streams_) stream->closed = true;
  streams_.clear();
}

void ModelLogGateway::Bury(const std::string& process) {
  for (auto& [id, instance] : disk.instances) instance.alive &= !id.starts_with(process);
  Judge();
}

void ModelLogGateway::Settle() {
  for (auto& [id, instance] : disk.instances) instance.settled = instance.mark;
  for (const auto& stream : streams_) {
    if (stream->instance.empty()) continue;
    v1::GatewayMessage message;
    message.mutable_ack()->set_durable(disk.instances[stream->instance].mark);
    message.mutable_ack()->set_settled(disk.instances[stream->instance].settled);
    stream->out.push_back(message);
  }
}

void ModelLogGateway::Deliver() {
  for (const Frame& frame : disk.frames) {
    if (frame.sequence > disk.instances[frame.instance].settled) continue;
    for (const Line& line : frame.lines) delivered.insert({line.file, line.number});
  }
}

void ModelLogGateway::LoseStore() {
  CloseAll();
  Deliver();
  disk = {absl::StrCat("s", ++stores_), {}, {}, {}, {}, 0};
}

void ModelLogGateway::RollBack() {
  if (kept_.id != disk.id || kept_.instances.size() != disk.instances.size()) return;
  CloseAll();
  Deliver();
  const std::map<std::string, Instance> instances = disk.instances;
  disk = kept_;
  // Who is dead stays so.
  for (auto& [id, instance] : disk.instances) instance.alive = instances.at(id).alive;
}

void ModelLogGateway::Take(Stream& stream, const v1::ForwarderMessage& message) {
  if (stream.closed) return;
  if (message.has_hello()) return TakeHello(stream, message.hello());
  if (message.has_gap()) complaint = "a gap in logs";
  if (stream.instance.empty()) return;
  const Instance& instance = disk.instances[stream.instance];
  for (const std::string& key : message.retire().files()) Retire(key, instance);
  for (const v1::FilePosition& file : message.offer().files()) {
    if (PositionFor(instance, file.key())) continue;
    disk.positions[file.key()] = file.out();
    disk.retired.erase(file.key());
    ++offers_adopted;
  }
  if (!message.frame().empty()) TakeFrame(stream, message.round(), message.frame());
}

void ModelLogGateway::TakeHello(Stream& stream, const v1::Hello& hello) {
  for (const auto& older : streams_) {
    if (older.get() != &stream && older->instance == hello.instance()) older->closed = true;
  }
  v1::GatewayMessage message;
  v1::Welcome& welcome = *message.mutable_welcome();
  welcome.set_store_id(disk.id);
  const bool known = disk.instances.contains(hello.instance());
  if (!hello.store_id().empty() && (hello.store_id() != disk.id || !known)) {
    welcome.set_found(hello.store_id() == disk.id ? v1::Welcome::FOUND_FORGOTTEN
                                                  : v1::Welcome::FOUND_OTHER_STORE);
    stream.out.push_back(message);
    return;
  }
  Instance& instance = disk.instances[hello.instance()];
  if (!known) instance.epoch = ++disk.epochs;
  welcome.set_found(known ? v1::Welcome::FOUND_KNOWN : v1::Welcome::FOUND_NEW);
  if (instance.mark < hello.acknowledged()) {
    welcome.set_found(v1::Welcome::FOUND_ROLLED_BACK);
    uint64_t begin = std::max(hello.first_sequence(), hello.settled() + 1);
    if (hello.last_sequence() < begin) begin = hello.acknowledged() + 1;
    instance.mark = std::max(instance.mark, begin - 1);
  }
  stream.instance = hello.instance();
  instance.alive = true;
  instance.alone = true;
  Judge();
  welcome.set_mark(instance.mark);
  welcome.set_settled(std::min(instance.settled, instance.mark));
  welcome.set_superseded(!instance.alone);
  v1::GatewayMessage positions;
  for (const auto& [key, at] : disk.positions) {
    v1::FilePosition& file = *positions.mutable_positions()->add_files();
    file.set_key(key);
    file.set_out(at);
  }
  positions.mutable_positions()->set_complete(true);
  stream.out.clear();  // a notice comes behind the welcome
  stream.out.push_back(message);
  stream.out.push_back(positions);
}

void ModelLogGateway::Judge() {
  uint64_t highest = 0;
  for (const auto& [id, instance] : disk.instances) {
    if (instance.alive) highest = std::max(highest, instance.epoch);
  }
  for (auto& [id, instance] : disk.instances) {
    const bool alone = instance.epoch >= highest;
    if (alone == instance.alone) continue;
    instance.alone = alone;
    for (const auto& stream : streams_) {
      if (stream->instance != id) continue;
      v1::GatewayMessage message;
      message.mutable_notice()->set_superseded(!alone);
      message.mutable_notice()->set_admitted(true);
      stream->out.push_back(message);
    }
  }
}

void ModelLogGateway::Retire(const std::string& key, const Instance& by) {
  const auto file = disk.positions.extract(key);
  if (file.empty()) return;
  disk.retired[key] = {file.mapped(), by.epoch};
  ++retired;
}

std::optional<uint64_t> ModelLogGateway::PositionFor(const Instance& instance,
                                                     const std::string& key) const {
  if (const auto known = disk.positions.find(key); known != disk.positions.end()) {
    return known->second;
  }
  const auto gone = disk.retired.find(key);
  if (gone == disk.retired.end() || gone->second.by == instance.epoch) return std::nullopt;
  return gone->second.at;
}

bool ModelLogGateway::Compare(Stream& stream, uint64_t sequence, const std::string& frame) {
  v1::GatewayMessage message;
  v1::Refusal& refusal = *message.mutable_refusal();
  for (const LogFilePart& part : PartsOf(frame)) {
    const auto stored = PositionFor(disk.instances[stream.instance], part.key);
    if (stored ? *stored == part.from.out : part.first) continue;
    v1::RefusedFile& file = *refusal.add_files();
    file.set_key(part.key);
    file.set_known(stored.has_value());
    if (stored) file.set_out(*stored);
    if (stored && !disk.positions.contains(part.key)) ++refused_retired;
  }
  if (refusal.files_size() == 0) return true;
  ++refusals;
  refusal.set_sequence(sequence);
  refusal.set_reason(v1::Refusal::REASON_POSITION);
  refusal.set_round(++stream.round);
  stream.out.push_back(message);
  return false;
}

void ModelLogGateway::TakeFrame(Stream& stream, uint32_t round, const std::string& frame) {
  const auto header = ParseFrameHeader(frame);
  if (!header.ok() || !VerifyFrame(*header, {frame}).ok()) {
    complaint = "a malformed frame";
    return;
  }
  if (round < stream.round) return;
  Instance& instance = disk.instances[stream.instance];
  v1::GatewayMessage message;
  if (header->sequence > instance.mark + 1) {
    if (stream.refusing) return;
    stream.refusing = true;
    message.mutable_refusal()->set_sequence(header->sequence);
    message.mutable_refusal()->set_reason(v1::Refusal::REASON_SEQUENCE);
    stream.out.push_back(message);
    return;
  }
  if (header->sequence == instance.mark + 1) {
    stream.refusing = false;
    if (!Compare(stream, header->sequence, frame)) return;
    for (const LogFilePart& part : PartsOf(frame)) {
      disk.positions[part.key] = part.upto.out;
      disk.retired.erase(part.key);
    }
    instance.mark = header->sequence;
    Frame& stored = disk.frames.emplace_back();
    stored.instance = stream.instance;
    stored.sequence = header->sequence;
    for (const auto& [file, number] : LinesOf(frame)) stored.lines.push_back({file, number});
  }
  message.mutable_ack()->set_durable(instance.mark);
  message.mutable_ack()->set_settled(instance.settled);
  stream.out.push_back(message);
}

}  // namespace ampari
