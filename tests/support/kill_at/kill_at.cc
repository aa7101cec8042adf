// Preloaded into a program (LD_PRELOAD), it counts chosen system calls over all threads and ends
// the program by SIGKILL at the k-th: the instant of a crash becomes a number that a test can walk
// over.
//
//   AMPARI_KILL_CALLS  the calls that count, by name (kNames), separated by commas
//   AMPARI_KILL_ON     only on files beneath these directories, separated by colons; the word
//                      sockets stands for all sockets. Unset: on everything
//   AMPARI_KILL_AT     k, from 1; unset: counts only. The k-th call is not made; with
//   AMPARI_KILL_TORN   set, half of what a write, pwrite64 or sendto hands over still goes out
//   AMPARI_KILL_COUNT  file of 64-bit numbers that is kept up to date: of all, then as kNames
//
// It makes system calls of its own only by syscall(2), allocates nothing and takes no lock, so it
// may be called wherever the calls may. What glibc calls inside itself (stdio, syslog) is not seen.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>

namespace {

enum Call {
  kRead,
  kPread,
  kReadv,
  kRecvmsg,
  kRecvfrom,
  kWrite,
  kPwrite,
  kWritev,
  kSendmsg,
  kSendto,
  kFdatasync,
  kFsync,
  kRange,
  kRename
};
constexpr const char* kNames[] = {"read",      "pread64",  "readv",           "recvmsg", "recvfrom",
                                  "write",     "pwrite64", "writev",          "sendmsg", "sendto",
                                  "fdatasync", "fsync",    "sync_file_range", "rename"};
constexpr size_t kCalls = std::size(kNames);

using Counter = std::atomic<uint64_t>;
static_assert(Counter::is_always_lock_free && sizeof(Counter) == sizeof(uint64_t));

Counter own_counts[kCalls + 1];
Counter* counts = own_counts;  // [0]: all; in the file where there is one
bool chosen[kCalls];
const char* places = nullptr;  // AMPARI_KILL_ON
uint64_t kill_at = 0;          // 0: never
bool torn = false;

// Whether `name` is one of the parts of `list`.
bool Lists(const char* list, char separator, const char* name) {
  const size_t length = strlen(name);
  for (const char* part = list; part != nullptr;) {
    const char* end = strchr(part, separator);
    const size_t size = end != nullptr ? static_cast<size_t>(end - part) : strlen(part);
    if (size == length && memcmp(part, name, size) == 0) return true;
    part = end != nullptr ? end + 1 : nullptr;
  }
  return false;
}

void MapCounts(const char* file) {
  const int fd =
      static_cast<int>(syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (fd < 0 || syscall(SYS_ftruncate, fd, sizeof(own_counts)) != 0) return;
  void* map = mmap(nullptr, sizeof(own_counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  if (map != MAP_FAILED) counts = static_cast<Counter*>(map);
}

__attribute__((constructor)) void ReadEnvironment() {
  const char* calls = getenv("AMPARI_KILL_CALLS");
  for (size_t i = 0; i < kCalls; ++i) chosen[i] = Lists(calls, ',', kNames[i]);
  places = getenv("AMPARI_KILL_ON");
  torn = getenv("AMPARI_KILL_TORN") != nullptr;
  if (const char* file = getenv("AMPARI_KILL_COUNT")) MapCounts(file);
  if (const char* at = getenv("AMPARI_KILL_AT")) kill_at = strtoull(at, nullptr, 10);
}

// Whether `path` lies beneath one of `places`, or is the link text of a socket and these count.
bool IsPlace(const char* path) {
  if (strncmp(path, "socket:", 7) == 0) return Lists(places, ':', "sockets");
  for (const char* part = places; part != nullptr;) {
    const char* end = strchr(part, ':');
    const size_t size = end != nullptr ? static_cast<size_t>(end - part) : strlen(part);
    if (size > 0 && strncmp(path, part, size) == 0 && path[size] == '/') return true;
    part = end != nullptr ? end + 1 : nullptr;
  }
  return false;
}

bool IsPlace(int fd) {
  char link[32] = "/proc/self/fd/";
  char digits[12];
  int n = 0;
  if (fd < 0) return false;
  for (int rest = fd; n == 0 || rest > 0; rest /= 10)
    digits[n++] = static_cast<char>('0' + rest % 10);
  for (size_t at = strlen(link); n > 0;) link[at++] = digits[--n];
  char path[512];
  const int before = errno;
  const ssize_t size = syscall(SYS_readlink, link, path, sizeof(path) - 1);
  errno = before;
  if (size <= 0) return false;
  path[size] = '\0';
  return IsPlace(path);
}

// Counts a call on a file descriptor or path; true for the k-th.
template <class Where>
bool IsLast(Call call, Where where) {
  if (!chosen[call] || (places != nullptr && !IsPlace(where))) return false;
  counts[1 + call].fetch_add(1, std::memory_order_relaxed);
  return counts[0].fetch_add(1, std::memory_order_relaxed) + 1 == kill_at;
}

[[noreturn]] void Die() {
  for (;;) syscall(SYS_kill, getpid(), SIGKILL);
}

// The system call, unless it is the last.
template <class... Arguments>
long Make(Call call, long number, int fd, Arguments... arguments) {
  if (IsLast(call, fd)) Die();
  return syscall(number, fd, arguments...);
}

// The same for one that hands over `size` bytes as its third argument.
template <class... Rest>
ssize_t HandOver(Call call, long number, int fd, const void* bytes, size_t size, Rest... rest) {
  if (IsLast(call, fd)) {
    if (torn) syscall(number, fd, bytes, size / 2, rest...);
    Die();
  }
  return syscall(number, fd, bytes, size, rest...);
}

}  // namespace

extern "C" {

ssize_t read(int fd, void* to, size_t size) { return Make(kRead, SYS_read, fd, to, size); }
ssize_t __read_chk(int fd, void* to, size_t size, size_t) { return read(fd, to, size); }
ssize_t pread64(int fd, void* to, size_t size, off64_t at) {
  return Make(kPread, SYS_pread64, fd, to, size, at);
}
ssize_t pread(int fd, void* to, size_t size, off_t at) { return pread64(fd, to, size, at); }
ssize_t __pread_chk(int fd, void* to, size_t size, off_t at, size_t) {
  return pread64(fd, to, size, at);
}
ssize_t __pread64_chk(int fd, void* to, size_t size, off64_t at, size_t) {
  return pread64(fd, to, size, at);
}
ssize_t readv(int fd, const iovec* parts, int n) { return Make(kReadv, SYS_readv, fd, parts, n); }
ssize_t recvmsg(int fd, msghdr* message, int flags) {
  return Make(kRecvmsg, SYS_recvmsg, fd, message, flags);
}
ssize_t recvfrom(int fd, void* to, size_t size, int flags, sockaddr* from, socklen_t* length) {
  return Make(kRecvfrom, SYS_recvfrom, fd, to, size, flags, from, length);
}
ssize_t recv(int fd, void* to, size_t size, int flags) {
  return recvfrom(fd, to, size, flags, nullptr, nullptr);
}
ssize_t __recv_chk(int fd, void* to, size_t size, size_t, int flags) {
  return recv(fd, to, size, flags);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  return HandOver(kWrite, SYS_write, fd, bytes, size);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  return HandOver(kPwrite, SYS_pwrite64, fd, bytes, size, at);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  return pwrite64(fd, bytes, size, at);
}
ssize_t writev(int fd, const iovec* parts, int n) {
  return Make(kWritev, SYS_writev, fd, parts, n);
}
ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  return Make(kSendmsg, SYS_sendmsg, fd, message, flags);
}
ssize_t sendto(int fd, const void* bytes, size_t size, int flags, const sockaddr* to,
               socklen_t length) {
  return HandOver(kSendto, SYS_sendto, fd, bytes, size, flags, to, length);
}
ssize_t send(int fd, const void* bytes, size_t size, int flags) {
  return sendto(fd, bytes, size, flags, nullptr, 0);
}

int fdatasync(int fd) { return static_cast<int>(Make(kFdatasync, SYS_fdatasync, fd)); }
int fsync(int fd) { return static_cast<int>(Make(kFsync, SYS_fsync, fd)); }
int sync_file_range(int fd, off64_t at, off64_t size, unsigned flags) {
  return static_cast<int>(Make(kRange, SYS_sync_file_range, fd, at, size, flags));
}
int rename(const char* from, const char* to) {
  if (IsLast(kRename, from)) Die();
  return static_cast<int>(syscall(SYS_rename, from, to));
}

}  // extern "C"
