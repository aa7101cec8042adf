// Transfer: one request on one libcurl easy handle, redirects included.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/http/file_cache.h"
#include "common/http/loop.h"

struct curl_slist;

namespace ampari {

inline constexpr int kMaxRedirects = 10;
inline constexpr size_t kMaxResponseHeaderBytes = size_t{64} << 10;

// Owned by the loop and used on its thread. The easy handle (a CURL*) must not be in a multi handle
// when this dies.
class Transfer {
 public:
  Transfer(uint64_t id, HttpRequest request, HttpLoop::Callbacks callbacks);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Sets up the easy handle for the request's current URL. InvalidArgument or PermissionDenied when
  // it cannot be sent.
  absl::Status Prepare(FileCache& files);
  // After the transfer ended with CURLcode `code`: true when Prepare() must be called again for a
  // redirect.
  bool TakeRedirect(int code);
  // Makes the response and calls on_done. `status` overrides what libcurl said when not OK.
  void Finish(int code, const absl::Status& status);
  // From now on nothing but on_done is called.
  void Silence() { silenced_ = true; }

  void* easy() const { return easy_; }
  uint64_t id() const { return id_; }
  bool added = false;  // to the multi handle

 private:
  friend struct TransferCallbacks;

  absl::Status SetTls(FileCache& files);
  absl::Status SetServerName();
  void SetBody();
  void SetLimits();
  void SetCallbacks();
  absl::Status SetBlob(int option, const std::string& file, const Secret& inline_pem,
                       FileCache& files);
  bool OnHeaderLine(std::string_view line);
  bool OnHead();
  size_t OnBody(std::string_view piece);

  const uint64_t id_;
  HttpRequest request_;
  HttpLoop::Callbacks callbacks_;
  void* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  curl_slist* connect_to_ = nullptr;
  char error_[256] = {};  // CURL_ERROR_SIZE
  size_t body_sent_ = 0;
  HttpResponse response_;
  size_t header_bytes_ = 0;
  absl::Status refused_;  // why one of our callbacks ended the transfer
  absl::Duration started_;
  int redirects_ = 0;
  bool same_origin_ = true;
  bool redirecting_ = false;
  bool silenced_ = false;
};

}  // namespace ampari
