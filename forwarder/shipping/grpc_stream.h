// GrpcStream: one connection to the gateway at a time, as a stream of raw messages. The only gRPC
// of the shipping stage.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "ampari/v1/shipping.pb.h"
#include "common/runtime/mutex.h"
#include "forwarder/shipping/outgoing.h"

namespace ampari {

struct GrpcStreamOptions {
  bool insecure = false;
  std::string ca_file, ca;  // empty: the system's roots; read at each Open()
  std::string server_name;  // empty: the host of the address
  std::string token_file;   // read at each Open()
  std::string token;        // without a file
};

// Called by gRPC's threads. OnWritable is never called twice at a time, and not after OnEnded.
class StreamEvents {
 public:
  virtual ~StreamEvents() = default;
  virtual std::optional<Outgoing>
  OnWritable() = 0;  // the next message; nullopt: nothing until Wake()
  virtual void OnMessage(const v1::GatewayMessage& message) = 0;
  virtual void OnEnded(const absl::Status& why) = 0;  // once for each Open() that was OK
};

// Thread-safe. Never call it while holding a lock that the events take.
class GrpcStream {
 public:
  GrpcStream(GrpcStreamOptions options, StreamEvents& events);
  ~GrpcStream();  // a living stream must have ended
  GrpcStream(const GrpcStream&) = delete;
  GrpcStream& operator=(const GrpcStream&) = delete;

  // Begins a connection and a stream to `address` (host:port); the one before has ended. Not OK,
  // and nothing begins, when a file cannot be read.
  absl::Status Open(const std::string& address);
  // Asks OnWritable again unless a write is under way.
  void Wake();
  // Nothing more will be written: the gateway ends the stream when it has read everything.
  void FinishWriting();
  // Breaks the stream; OnEnded follows.
  void Cancel();

 private:
  class Call;
  std::shared_ptr<Call> call() const;

  const GrpcStreamOptions options_;
  StreamEvents& events_;
  mutable Mutex mu_;
  std::shared_ptr<Call> call_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ampari
