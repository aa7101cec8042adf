#include "bench/region/behaviour.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/clock.h"

namespace ampari::bench {
namespace {

absl::Status Unusable(const std::string& name) {
  return absl::InvalidArgumentError(absl::StrCat("unknown or unusable: ", name));
}

bool ParseMode(const std::string& text, RegionMode* mode) {
  static const std::map<std::string, RegionMode> kModes = {
      {"ok", RegionMode::kOk},
      {"down", RegionMode::kDown},
      {"status", RegionMode::kStatus},
      {"hang", RegionMode::kHang},
      {"commit_then_close", RegionMode::kCommitThenClose},
  };
  const auto found = kModes.find(text);
  if (found == kModes.end()) return false;
  *mode = found->second;
  return true;
}

bool SetNumber(const std::string& name, const std::string& value, Behaviour* behaviour) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(value, &number) || number < -1) return false;
  if (name == "status" && number >= 100 && number <= 599) {
    behaviour->status = static_cast<int>(number);
  } else if (name == "times") {
    behaviour->times = number;
  } else if (name == "every" && number > 0) {
    behaviour->every = number;
  } else if (name == "delay_ms" && number >= 0) {
    behaviour->delay = absl::Milliseconds(number);
  } else if (name == "max_bytes" && number >= 0) {
    behaviour->max_bytes = static_cast<size_t>(number);
  } else if (name == "out_of_order_window_s" && number >= 0) {
    behaviour->out_of_order_window_s = number;
  } else if (name == "too_old_window_s" && number >= 0) {
    behaviour->too_old_window_s = number;
  } else {
    return false;
  }
  return true;
}

bool SetText(const std::string& name, const std::string& value, Behaviour* behaviour) {
  if (name == "retry_after") {
    behaviour->retry_after = value;
  } else if (name == "status_body") {
    behaviour->status_body = value;
  } else if (name == "reject_metric") {
    behaviour->reject_metric = value;
  } else if (name == "token") {
    behaviour->token = value;
  } else if (name == "partial" || name == "in_order_only") {
    if (value != "true" && value != "false") return false;
    (name == "partial" ? behaviour->partial : behaviour->in_order_only) = value == "true";
  } else {
    return false;
  }
  return true;
}

}  // namespace

absl::Status UpdateBehaviour(const std::map<std::string, std::string>& values,
                             Behaviour* behaviour) {
  Behaviour next = *behaviour;
  const auto mode = values.find("mode");
  if (mode != values.end()) {
    if (!ParseMode(mode->second, &next.mode)) return Unusable("mode");
    next.times = -1;
    next.every = 1;
  } else if (values.count("status") > 0) {
    next.mode = RegionMode::kStatus;
    next.times = -1;
    next.every = 1;
  }
  if (mode != values.end() || values.count("status") > 0) next.retry_after.clear();
  for (const auto& [name, value] : values) {
    if (name == "mode") continue;
    if (!SetText(name, value, &next) && !SetNumber(name, value, &next) &&
        !SetLogRule(name, value, &next.logs)) {
      return Unusable(name);
    }
  }
  *behaviour = next;
  return absl::OkStatus();
}

Behaviour& BehaviourTable::Of(const std::string& tenant) {
  const auto own = by_tenant_.find(tenant);
  return own != by_tenant_.end() ? own->second : by_tenant_[""];
}

absl::Status BehaviourTable::Update(const std::string& tenant,
                                    const std::map<std::string, std::string>& values) {
  MutexLock lock(mu_);
  Behaviour next = Of(tenant);
  absl::Status updated = UpdateBehaviour(values, &next);
  if (!updated.ok()) return updated;
  by_tenant_[tenant] = next;
  seen_[tenant] = 0;
  ++updates_;
  changed_.NotifyAll();
  return absl::OkStatus();
}

Behaviour BehaviourTable::Take(const std::string& tenant) {
  MutexLock lock(mu_);
  Behaviour& own = Of(tenant);
  Behaviour taken = own;
  if (own.mode == RegionMode::kOk) return taken;
  if (++seen_[tenant] % own.every != 0) {
    taken.mode = RegionMode::kOk;
    return taken;
  }
  if (own.times == 0) {
    own.mode = RegionMode::kOk;
    taken.mode = RegionMode::kOk;
  } else if (own.times > 0) {
    --own.times;
  }
  return taken;
}

void BehaviourTable::WaitForUpdate() {
  MutexLock lock(mu_);
  const uint64_t seen = updates_;
  while (!closed_ && updates_ == seen) changed_.Wait(mu_);
}

void BehaviourTable::Delay(absl::Duration delay) {
  const absl::Duration end = SystemClock().Monotonic() + delay;
  MutexLock lock(mu_);
  while (!closed_) {
    const absl::Duration left = end - SystemClock().Monotonic();
    if (left <= absl::ZeroDuration()) return;
    changed_.WaitFor(mu_, left);
  }
}

void BehaviourTable::Close() {
  MutexLock lock(mu_);
  closed_ = true;
  changed_.NotifyAll();
}

}  // namespace ampari::bench
