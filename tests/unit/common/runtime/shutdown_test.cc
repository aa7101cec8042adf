#include "common/runtime/shutdown.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <future>

#include "common/runtime/exit_codes.h"

namespace ampari {
namespace {

TEST(StopSignals, ReloadsOnHupAndStopsOnTerm) {
  std::promise<void> reloaded;
  StopSignals signals([&] { reloaded.set_value(); });
  EXPECT_FALSE(signals.WaitFor(absl::ZeroDuration()));
  kill(getpid(), SIGHUP);
  reloaded.get_future().wait();
  EXPECT_FALSE(signals.WaitFor(absl::ZeroDuration()));
  kill(getpid(), SIGTERM);
  signals.Wait();
  EXPECT_TRUE(signals.WaitFor(absl::ZeroDuration()));
}

TEST(StopSignals, CanBeStoppedFromWithin) {
  StopSignals signals(nullptr);
  signals.RequestStop();
  signals.Wait();
}

TEST(StopSignals, ASecondTermEndsTheProcessAtOnce) {
  const pid_t child = fork();
  if (child == 0) {
    StopSignals signals(nullptr);
    kill(getpid(), SIGTERM);
    signals.Wait();  // the first is taken; now it "drains" for ever
    kill(getpid(), SIGTERM);
    for (;;) pause();
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), kExitRuntime);
}

}  // namespace
}  // namespace ampari
