// What a shipper is told, and what it tells of itself, whatever the signal.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace ampari {

struct ShippingOptions {
  std::string address;  // host:port of this forwarder's gateway
  std::string forwarder_name;
  bool insecure = false;    // plaintext
  std::string ca_file;      // TLS, PEM; re-read when a connection is made
  std::string ca;           // PEM itself; both empty: the system's roots
  std::string server_name;  // overrides the name checked in the certificate
  std::string token_file;   // re-read when a connection is made; empty: no token (or `token`)
  std::string token;
  size_t ring_bytes = size_t{64} << 20;
  absl::Duration flush_interval = absl::Seconds(1);
  size_t flush_bytes = size_t{256} << 10;  // raw body bytes that flush before the interval
  // How long a move to another gateway waits for the old one to settle what it was sent.
  absl::Duration move_patience = absl::Minutes(10);
};

struct ShippingStatus {
  bool connected = false;
  bool superseded = false;  // a newer instance lives: scraping must stop
  bool paused = false;
  bool refused = false;
  std::string last_error;  // of the connection, no secret
  std::string gateway;     // address
  std::string moving_to;   // the address that it is about to go to; empty: it stays
  std::string instance;    // of this process's life, hexadecimal
  uint64_t epoch = 0;
  uint64_t sent_sequence = 0, acknowledged_sequence = 0, settled_sequence = 0, last_sequence = 0;
  uint64_t ring_frames = 0, ring_bytes = 0, ring_samples = 0;
  uint64_t ring_unacknowledged_bytes = 0, ring_max_bytes = 0;
  uint64_t superseded_total = 0;  // times that a newer instance took its place
  uint64_t registration_bytes = 0, unsendable_registrations_total = 0;
  uint64_t frames_total = 0, frame_bytes_total = 0, samples_total = 0;
  uint64_t expired_frames_total = 0, expired_samples_total = 0;
  uint64_t resent_frames_total = 0, refused_frames_total = 0, rollbacks_total = 0,
           instances_total = 0, connects_total = 0, moves_total = 0, impatient_moves_total = 0;
};

}  // namespace ampari
