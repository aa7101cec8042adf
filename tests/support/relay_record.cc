#include "tests/support/relay_record.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/frame/frame.h"
#include "common/frame/wire.h"

namespace ampari {
namespace {

std::string Event(const char* name, const std::string& instance) {
  return absl::StrCat("{\"event\":\"", name, "\",\"instance\":\"", instance, "\"");
}

std::string HelloLine(const v1::Hello& hello, const std::string& instance) {
  return absl::StrCat(Event("hello", instance), ",\"first\":", hello.first_sequence(),
                      ",\"last\":", hello.last_sequence(),
                      ",\"acknowledged\":", hello.acknowledged(), ",\"settled\":", hello.settled(),
                      ",\"draining\":", hello.draining() ? "true" : "false", "}");
}

std::string FrameLine(const std::vector<std::string_view>& pieces, const std::string& instance) {
  const std::string frame = JoinPieces(pieces);
  const auto header = ParseFrameHeader(frame);
  if (!header.ok()) return Event("malformed", instance) + "}";
  return absl::StrCat(Event("frame", instance), ",\"sequence\":", header->sequence,
                      ",\"items\":", header->items, ",\"checksum\":\"", absl::Hex(header->checksum),
                      "\"}");
}

std::string GapLine(const v1::Gap& gap, const std::string& instance) {
  uint64_t items = 0;
  for (const uint64_t count : gap.counts()) items += count;
  const uint64_t to = gap.first_sequence() + static_cast<uint64_t>(gap.counts_size()) - 1;
  return absl::StrCat(Event("gap", instance), ",\"from\":", gap.first_sequence(), ",\"to\":", to,
                      ",\"items\":", items, ",\"reason\":\"", v1::Gap::Reason_Name(gap.reason()),
                      "\"}");
}

}  // namespace

RelayRecord::RelayRecord(const std::string& path) : path_(path) {
  if (!path_.empty()) fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

RelayRecord::~RelayRecord() {
  if (fd_ >= 0) close(fd_);
}

void RelayRecord::Write(const std::string& line) {
  if (fd_ < 0) return;
  const std::string whole = line + "\n";
  if (write(fd_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size())) {
    std::perror("relay record");
  }
}

void RelayRecord::FromForwarder(const std::vector<std::string_view>& pieces,
                                std::string* instance) {
  const auto view = ParseForwarderMessage(pieces);
  if (!view.ok()) return Write(Event("malformed", *instance) + "}");
  if (view->kind == MessageKind::kFrame) return Write(FrameLine(view->body, *instance));
  if (view->kind != MessageKind::kHello && view->kind != MessageKind::kGap) return;
  v1::ForwarderMessage message;
  if (!message.ParseFromString(JoinPieces(pieces)))
    return Write(Event("malformed", *instance) + "}");
  if (message.has_gap()) return Write(GapLine(message.gap(), *instance));
  *instance = absl::BytesToHexString(message.hello().instance());
  Write(HelloLine(message.hello(), *instance));
}

void RelayRecord::FromGateway(const v1::GatewayMessage& message, const std::string& instance,
                              bool heard) {
  if (message.has_welcome()) {
    Write(absl::StrCat(Event("welcome", instance), ",\"found\":\"",
                       v1::Welcome::Found_Name(message.welcome().found()),
                       "\",\"mark\":", message.welcome().mark(), "}"));
    v1::Ack mark;
    mark.set_durable(message.welcome().mark());
    mark.set_settled(message.welcome().settled());
    Acknowledged(mark, instance, heard);
  } else if (message.has_ack()) {
    Acknowledged(message.ack(), instance, heard);
  } else if (message.has_refusal()) {
    Write(absl::StrCat(Event("refusal", instance), ",\"sequence\":", message.refusal().sequence(),
                       ",\"reason\":\"", v1::Refusal::Reason_Name(message.refusal().reason()),
                       "\"}"));
  }
}

void RelayRecord::Acknowledged(const v1::Ack& ack, const std::string& instance, bool heard) {
  uint64_t from = 0;
  {
    MutexLock lock(mu_);
    uint64_t& acknowledged = acknowledged_[instance];
    if (ack.durable() <= acknowledged) return;
    from = acknowledged + 1;
    acknowledged = ack.durable();
  }
  Write(absl::StrCat(Event("ack", instance), ",\"from\":", from, ",\"to\":", ack.durable(),
                     ",\"settled\":", ack.settled(), ",\"heard\":", heard ? "true" : "false", "}"));
}

}  // namespace ampari
