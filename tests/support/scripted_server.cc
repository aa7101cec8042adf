#include "tests/support/scripted_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/runtime/check.h"

namespace ampari {
namespace {

bool SendAll(int fd, const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<size_t>(n);
  }
  return true;
}

std::string Chunk(const std::string& piece) {
  return absl::StrCat(absl::Hex(piece.size()), "\r\n", piece, "\r\n");
}

// A request's head; empty when the peer is gone.
std::string ReadHead(int fd) {
  std::string head;
  char byte = 0;
  while (head.find("\r\n\r\n") == std::string::npos) {
    if (::recv(fd, &byte, 1, 0) != 1) return "";
    head.push_back(byte);
  }
  return head;
}

}  // namespace

ScriptedServer::ScriptedServer() {
  absl::StatusOr<ListenSocket> socket = Listen("127.0.0.1:0");
  Check(socket.ok(), "no port for the scripted server");
  socket_ = *std::move(socket);
  accepting_ = std::thread([this] { Accept(); });
}

ScriptedServer::~ScriptedServer() {
  std::vector<std::thread> serving;
  {
    MutexLock lock(mu_);
    stop_ = true;
    ::shutdown(socket_.fd.get(), SHUT_RDWR);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    changed_.NotifyAll();
  }
  accepting_.join();
  {
    MutexLock lock(mu_);
    serving.swap(serving_);
  }
  for (std::thread& thread : serving) thread.join();
}

std::string ScriptedServer::url() const { return absl::StrCat("http://127.0.0.1:", socket_.port); }

void ScriptedServer::Answer(ScriptedAnswer answer) {
  MutexLock lock(mu_);
  answers_.push_back(std::move(answer));
  changed_.NotifyAll();
}

void ScriptedServer::More(std::string piece) {
  MutexLock lock(mu_);
  more_.emplace_back(std::move(piece), ScriptedAnswer::End::kStay);
  changed_.NotifyAll();
}

void ScriptedServer::Finish(ScriptedAnswer::End end) {
  MutexLock lock(mu_);
  more_.emplace_back("", end);
  changed_.NotifyAll();
}

std::vector<std::string> ScriptedServer::requests() const {
  MutexLock lock(mu_);
  return requests_;
}

void ScriptedServer::Accept() {
  while (true) {
    pollfd ready{socket_.fd.get(), POLLIN, 0};
    ::poll(&ready, 1, -1);
    const int fd = ::accept4(socket_.fd.get(), nullptr, nullptr, SOCK_CLOEXEC);
    MutexLock lock(mu_);
    if (stop_) {
      if (fd >= 0) ::close(fd);
      return;
    }
    if (fd < 0) continue;
    open_.push_back(fd);
    serving_.emplace_back([this, fd] { Serve(fd); });
  }
}

void ScriptedServer::Serve(int fd) {
  while (true) {
    std::string head = ReadHead(fd);
    ScriptedAnswer answer;
    if (head.empty() || !NextAnswer(std::move(head), &answer) || !Play(fd, answer)) break;
  }
  MutexLock lock(mu_);
  std::erase(open_, fd);
  ::close(fd);
}

bool ScriptedServer::NextAnswer(std::string request, ScriptedAnswer* answer) {
  MutexLock lock(mu_);
  requests_.push_back(std::move(request));
  while (answers_.empty() && !stop_) changed_.Wait(mu_);
  if (stop_) return false;
  *answer = std::move(answers_.front());
  answers_.pop_front();
  return true;
}

bool ScriptedServer::Play(int fd, const ScriptedAnswer& answer) {
  if (answer.silent) return !ReadHead(fd).empty();
  std::string head = absl::StrCat("HTTP/1.1 ", answer.status, " Scripted\r\n");
  for (const auto& [name, value] : answer.headers)
    absl::StrAppend(&head, name, ": ", value, "\r\n");
  absl::StrAppend(&head, "Transfer-Encoding: chunked\r\n\r\n");
  if (!answer.body.empty()) head += Chunk(answer.body);
  if (answer.end == ScriptedAnswer::End::kComplete) head += "0\r\n\r\n";
  if (!SendAll(fd, head)) return false;
  if (answer.end == ScriptedAnswer::End::kStay) return Stay(fd);
  return answer.end == ScriptedAnswer::End::kComplete;
}

bool ScriptedServer::Stay(int fd) {
  std::string piece;
  ScriptedAnswer::End end = ScriptedAnswer::End::kStay;
  while (NextPiece(&piece, &end)) {
    if (end == ScriptedAnswer::End::kCut) return false;
    if (end == ScriptedAnswer::End::kComplete) return SendAll(fd, "0\r\n\r\n");
    if (!SendAll(fd, Chunk(piece))) return false;
  }
  return false;
}

bool ScriptedServer::NextPiece(std::string* piece, ScriptedAnswer::End* end) {
  MutexLock lock(mu_);
  while (more_.empty() && !stop_) changed_.Wait(mu_);
  if (stop_) return false;
  *piece = std::move(more_.front().first);
  *end = more_.front().second;
  more_.pop_front();
  return true;
}

}  // namespace ampari
