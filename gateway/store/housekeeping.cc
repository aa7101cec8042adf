#include "gateway/store/housekeeping.h"

#include "gateway/store/admission.h"
#include "gateway/store/eviction.h"
#include "gateway/store/tasks.h"
#include "gateway/store/topology.h"

namespace ampari {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(250);

}  // namespace

void Housekeeping::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Housekeeping::Join() {
  if (thread_.joinable()) thread_.join();
}

void Housekeeping::Run() {
  while (!inbox_.stopped()) {
    Tick();
    inbox_.WaitForStop(kTick);
  }
}

void Housekeeping::Tick() {
  RunInBatch(inbox_, [this](Commit& commit) {
    JudgeStandings(commit);
    EndRemoved(commit);
    ForgetOldInstances(commit, vault_.max_age_ms);
    return absl::OkStatus();
  }).IgnoreError();
}

}  // namespace ampari
