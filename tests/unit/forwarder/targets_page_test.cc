// The page of targets for people.
#include "forwarder/targets_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace ampari {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kHostile[] = "<script>alert(1)</script>\x1b[31m\n";

ForwarderView View() {
  ForwarderView view;
  ScrapeJob job;
  job.job_name = kHostile;
  Target target;
  target.job = std::make_shared<const ScrapeJob>(job);
  target.url = "http://a/";
  TargetStatus status;
  status.target = std::make_shared<const Target>(target);
  status.health = TargetHealth::kDown;
  status.last.error = kHostile;
  view.targets = {status};
  view.dropped = {{{kHostile, Labels{{"a", kHostile}}, kHostile}}, 7};
  view.shipping.gateway = "gw:4750";
  view.shipping.last_error = kHostile;
  view.logs.running = true;
  LogJob log_job;
  log_job.job_name = kHostile;
  LogTarget log_target;
  log_target.job = std::make_shared<const LogJob>(log_job);
  log_target.labels = Labels{{"pod", kHostile}};
  log_target.path = kHostile;
  view.logs.targets = {log_target};
  LogFileStatus file;
  file.job_name = kHostile;
  file.path = kHostile;
  file.error = kHostile;
  view.logs.tailing.files = {file};
  view.logs.dropped = view.dropped;
  view.logs.shipping.connected = true;
  return view;
}

TEST(TargetsPage, NothingOfTheDataIsMarkupOrMovesACursor) {
  const std::string html = TargetsPage(View(), PageForm::kHtml);
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[31m\\n"));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  for (const std::string& page : {html, TargetsPage(View(), PageForm::kText)}) {
    EXPECT_EQ(page.find_first_of("\x1b\r\t"), std::string::npos);
    EXPECT_THAT(page, HasSubstr("down"));
    EXPECT_THAT(page, HasSubstr("(7 in all)"));
  }
}

TEST(TargetsPage, FilesWithTheirState) {
  const struct {
    const char *key, *error;
    bool rotated, gone;
    const char* state;
  } rows[] = {
      {"", "", false, false, "waiting"},           {"00ff", "", false, false, "read"},
      {"00ff", "", true, false, "rotated"},        {"00ff", "", true, true, "gone"},
      {"00ff", "no right", false, false, "error"},
  };
  for (const auto& row : rows) {
    LogFileStatus file;
    file.path = "/p/0.log";
    file.key = row.key;
    file.error = row.error;
    file.rotated = row.rotated;
    file.gone = row.gone;
    ForwarderView view;
    view.logs.running = true;
    view.logs.tailing.files = {file};
    EXPECT_THAT(TargetsPage(view, PageForm::kText),
                HasSubstr(std::string("/p/0.log  ") + row.state + " "));
  }
}

TEST(TargetsPage, WithoutLogJobsThereIsNothingOfLogs) {
  EXPECT_THAT(TargetsPage(ForwarderView(), PageForm::kText), Not(HasSubstr("og")));
}

}  // namespace
}  // namespace ampari
