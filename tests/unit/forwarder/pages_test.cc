#include "forwarder/pages.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ampari {
namespace {

class Pages : public ::testing::Test {
 protected:
  ServerResponse Ask(std::string method, std::string path, bool loopback = true,
                     std::string authorization = "", std::string query = "",
                     std::string accept = "") {
    ServerRequest request;
    request.query = std::move(query);
    request.method = std::move(method);
    request.path = std::move(path);
    request.peer_is_loopback = loopback;
    if (!authorization.empty()) request.headers = {{"authorization", authorization}};
    if (!accept.empty()) request.headers.emplace_back("accept", accept);
    return AnswerPage(pages_, request);
  }

  int reloads_ = 0;
  bool ready_ = false, welcomed_ = false;
  absl::Status reload_answer_;
  ForwarderPages pages_{
      [](PageForm form) { return std::to_string(static_cast<int>(form)); },
      [] { return "a 1\n"; },
      [this] { return ready_; },
      [this] { return welcomed_; },
      [this] {
        ++reloads_;
        return reload_answer_;
      },
      [](std::string_view token) { return token == "right"; },
  };
};

TEST_F(Pages, Statuses) {
  struct Row {
    const char *method, *path;
    int status;
  };
  for (const Row& row : std::vector<Row>{
           {"GET", "/", 200},
           {"GET", "/targets", 200},
           {"HEAD", "/metrics", 200},
           {"GET", "/metrics", 200},
           {"GET", "/-/healthy", 200},
           {"GET", "/-/ready", 503},
           {"POST", "/targets", 405},
           {"GET", "/-/reload", 405},
           {"PUT", "/-/reload", 405},
           {"GET", "/nothing", 404},
           {"POST", "/-/reload", 200},
       }) {
    EXPECT_EQ(Ask(row.method, row.path).status, row.status) << row.method << " " << row.path;
  }
  EXPECT_EQ(reloads_, 1);
  ready_ = true;
  EXPECT_EQ(Ask("GET", "/-/ready").status, 200);
}

TEST_F(Pages, ReadyMayWaitForAFirstWelcome) {
  const auto ask = [this] { return Ask("GET", "/-/ready", false, "", "wait=gateway").status; };
  welcomed_ = true;
  EXPECT_EQ(ask(), 503);
  ready_ = true;
  EXPECT_EQ(ask(), 200);
  welcomed_ = false;
  EXPECT_EQ(ask(), 503);
  EXPECT_EQ(Ask("GET", "/-/ready").status, 200);
}

TEST_F(Pages, ReloadNeedsLoopbackOrTheToken) {
  EXPECT_EQ(Ask("POST", "/-/reload", false).status, 403);
  EXPECT_EQ(Ask("POST", "/-/reload", false, "Bearer wrong").status, 403);
  EXPECT_EQ(Ask("POST", "/-/reload", false, "right").status, 403);
  EXPECT_EQ(reloads_, 0);
  EXPECT_EQ(Ask("POST", "/-/reload", false, "Bearer right").status, 200);
  EXPECT_EQ(reloads_, 1);
}

TEST_F(Pages, AFailedReloadIsToldWithItsReason) {
  reload_answer_ = absl::InvalidArgumentError("f.yaml:3: unknown key");
  const ServerResponse answer = Ask("POST", "/-/reload");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body, "f.yaml:3: unknown key\n");
}

TEST_F(Pages, ContentTypes) {
  EXPECT_EQ(Ask("GET", "/targets").content_type, "application/json");
  EXPECT_EQ(Ask("GET", "/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
}

TEST_F(Pages, FormsOfTargets) {
  constexpr char kBrowser[] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  struct Row {
    const char *query, *accept, *content_type;
    PageForm form;
  };
  for (const Row& row : std::vector<Row>{
           {"", "", "application/json", PageForm::kJson},
           {"", "*/*", "application/json", PageForm::kJson},
           {"", "application/json", "application/json", PageForm::kJson},
           {"", kBrowser, "text/html; charset=utf-8", PageForm::kHtml},
           {"format=json", kBrowser, "application/json", PageForm::kJson},
           {"format=text", kBrowser, "text/plain; charset=utf-8", PageForm::kText},
           {"format=text", "", "text/plain; charset=utf-8", PageForm::kText},
           {"format=html", "", "text/html; charset=utf-8", PageForm::kHtml},
       }) {
    const ServerResponse answer = Ask("GET", "/targets", true, "", row.query, row.accept);
    EXPECT_EQ(answer.content_type, row.content_type) << row.query << " " << row.accept;
    EXPECT_EQ(answer.body, std::to_string(static_cast<int>(row.form)));
    const std::pair<std::string, std::string> policy = {
        "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"};
    EXPECT_EQ(answer.headers.at(0), policy);
  }
  EXPECT_EQ(Ask("GET", "/targets", true, "", "format=xml").status, 400);
}

}  // namespace
}  // namespace ampari
