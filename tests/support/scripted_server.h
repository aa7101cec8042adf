// ScriptedServer: an HTTP/1.1 server on a raw socket that plays the answers a test gives it, in
// their order: in pieces, cut off, late or never.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/http/listen_socket.h"
#include "common/runtime/mutex.h"

namespace ampari {

struct ScriptedAnswer {
  enum class End : uint8_t {
    kComplete,  // the connection is kept
    kCut,       // the connection is closed before the body's end
    kStay,      // what More() and Finish() say; the connection is open until then
  };
  int status = 200;
  std::string body = {};  // chunked
  End end = End::kComplete;
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool silent = false;  // nothing at all is answered; the connection stays open
};

// Thread-safe. One thread accepts, one serves each connection. A request without an answer waits
// for one.
class ScriptedServer {
 public:
  ScriptedServer();
  ~ScriptedServer();  // closes everything
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url() const;  // http://127.0.0.1:port
  void Answer(ScriptedAnswer answer) ABSL_LOCKS_EXCLUDED(mu_);
  // To the answer that stays: a further piece of its body, each sent on its own; its end.
  void More(std::string piece) ABSL_LOCKS_EXCLUDED(mu_);
  void Finish(ScriptedAnswer::End end) ABSL_LOCKS_EXCLUDED(mu_);
  // The heads of all requests so far, as they came: request line and headers.
  std::vector<std::string> requests() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Accept() ABSL_LOCKS_EXCLUDED(mu_);
  void Serve(int fd) ABSL_LOCKS_EXCLUDED(mu_);
  bool Play(int fd, const ScriptedAnswer& answer) ABSL_LOCKS_EXCLUDED(mu_);
  bool Stay(int fd) ABSL_LOCKS_EXCLUDED(mu_);
  bool NextAnswer(std::string request, ScriptedAnswer* answer) ABSL_LOCKS_EXCLUDED(mu_);
  // False when the server stops.
  bool NextPiece(std::string* piece, ScriptedAnswer::End* end) ABSL_LOCKS_EXCLUDED(mu_);

  ListenSocket socket_;
  mutable Mutex mu_;
  CondVar changed_;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  std::deque<ScriptedAnswer> answers_ ABSL_GUARDED_BY(mu_);
  // A piece, or an end with an empty piece.
  std::deque<std::pair<std::string, ScriptedAnswer::End>> more_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> requests_ ABSL_GUARDED_BY(mu_);
  std::vector<int> open_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> serving_ ABSL_GUARDED_BY(mu_);
  std::thread accepting_;
};

}  // namespace ampari
