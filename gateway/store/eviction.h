// Eviction: instances that are forgotten, by age or because their producer has too many.
#pragma once

#include "gateway/store/commit.h"

namespace ampari {

// Removes an instance with its mark and registrations. Its frames must be gone.
void ForgetInstance(Commit& commit, InstanceNumber instance);

// Makes room: takes the instance's stored frames out of its queue, counted as expired{instances},
// and forgets it. False, with nothing changed, while frames of its lane are in flight.
bool EvictInstance(Commit& commit, InstanceNumber instance);

// Forgets whoever was last seen more than max_age ago and has no stored frame.
void ForgetOldInstances(Commit& commit, int64_t max_age_ms);

}  // namespace ampari
