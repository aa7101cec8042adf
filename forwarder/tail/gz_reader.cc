#include "forwarder/tail/gz_reader.h"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace ampari {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib: the largest window, with gzip's header
constexpr size_t kSmallestGzip = 18;  // header and end

ssize_t ReadFully(int fd, char* out, size_t size, uint64_t offset) {
  ssize_t n = -1;
  do {
    n = ::pread(fd, out, size, static_cast<off_t>(offset));
  } while (n < 0 && errno == EINTR);
  return n;
}

}  // namespace

struct GzReader::Stream {
  z_stream z = {};
  bool open = false;
  bool member_ended = false;

  ~Stream() {
    if (open) inflateEnd(&z);
  }
};

GzReader::GzReader(int fd) : fd_(fd), stream_(std::make_unique<Stream>()) {}
GzReader::~GzReader() = default;

absl::Status GzReader::Rewind() {
  stream_ = std::make_unique<Stream>();
  if (inflateInit2(&stream_->z, kGzipWindow) != Z_OK) {
    return absl::ResourceExhaustedError("no memory to inflate");
  }
  stream_->open = true;
  input_offset_ = 0;
  window_.clear();
  window_begin_ = 0;
  ended_ = false;
  error_ = absl::OkStatus();
  return absl::OkStatus();
}

void GzReader::Release() {
  stream_ = std::make_unique<Stream>();
  // Assigning an empty string would keep the memory.
  std::string().swap(input_);
  std::string().swap(window_);
  window_begin_ = 0;
  ended_ = false;
}

// More input; at the file's end the stream must be at the end of a member.
absl::Status GzReader::Refill() {
  input_.resize(kPieceBytes);
  const ssize_t n = ReadFully(fd_, input_.data(), input_.size(), input_offset_);
  if (n < 0) return absl::ErrnoToStatus(errno, "cannot be read");
  input_offset_ += static_cast<uint64_t>(n);
  stream_->z.next_in = reinterpret_cast<Bytef*>(input_.data());
  stream_->z.avail_in = static_cast<uInt>(n);
  if (n > 0) return absl::OkStatus();
  if (!stream_->member_ended) return absl::OutOfRangeError("the gzip file is cut");
  ended_ = true;
  return absl::OkStatus();
}

absl::Status GzReader::InflateSome() {
  z_stream& z = stream_->z;
  if (z.avail_in == 0) {
    if (absl::Status s = Refill(); !s.ok() || ended_) return s;
  }
  if (stream_->member_ended) {
    if (inflateReset(&z) != Z_OK) return absl::DataLossError("the gzip file is damaged");
    stream_->member_ended = false;
  }
  const size_t before = window_.size();
  window_.resize(before + kPieceBytes);
  z.next_out = reinterpret_cast<Bytef*>(window_.data() + before);
  z.avail_out = static_cast<uInt>(kPieceBytes);
  const int result = inflate(&z, Z_NO_FLUSH);
  window_.resize(window_.size() - z.avail_out);
  if (result == Z_STREAM_END) stream_->member_ended = true;
  if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
    return absl::DataLossError("the gzip file is damaged");
  }
  return absl::OkStatus();
}

void GzReader::EndIfNot(const absl::Status& ok) {
  if (ok.ok()) return;
  error_ = ok;
  ended_ = true;
}

size_t GzReader::ReadAt(uint64_t offset, std::span<char> out, bool* at_end) {
  if (!stream_->open || offset < window_begin_) EndIfNot(Rewind());
  size_t inflated = 0;
  while (true) {
    const uint64_t passed = std::min<uint64_t>(offset - window_begin_, window_.size());
    window_.erase(0, passed);
    window_begin_ += passed;
    const bool enough = window_begin_ == offset && window_.size() >= out.size();
    if (ended_ || enough || inflated >= kMaxInflatedPerCall) break;
    const size_t before = window_.size();
    EndIfNot(InflateSome());
    inflated += window_.size() - before;
  }
  const size_t n = window_begin_ == offset ? std::min(out.size(), window_.size()) : 0;
  std::memcpy(out.data(), window_.data(), n);
  *at_end = ended_ && (window_begin_ != offset || n == window_.size());
  return n;
}

std::optional<uint32_t> GzReader::DeclaredSize(int fd) {
  const off_t size = ::lseek(fd, 0, SEEK_END);
  std::array<unsigned char, 4> end;
  if (size < static_cast<off_t>(kSmallestGzip) ||
      ReadFully(fd, reinterpret_cast<char*>(end.data()), end.size(),
                static_cast<uint64_t>(size) - end.size()) != static_cast<ssize_t>(end.size())) {
    return std::nullopt;
  }
  return uint32_t{end[0]} | uint32_t{end[1]} << 8 | uint32_t{end[2]} << 16 | uint32_t{end[3]} << 24;
}

}  // namespace ampari
