#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "forwarder/canary/canary.h"

namespace ampari {
namespace {

TEST(CanaryStatusUrl, OfAGateway) {
  struct Row {
    const char *pattern, *address, *url;  // url null: refused
  };
  for (const Row& row : std::vector<Row>{
           {"http://{host}:4751", "gateway-0.ampari:4750", "http://gateway-0.ampari:4751"},
           {"http://{host}:4751", "[::1]:4750", "http://[::1]:4751"},
           {"https://status.example/{host}/", "a:1", "https://status.example/a"},
           {"http://127.0.0.1:9", "a:1", "http://127.0.0.1:9"},
           {"none", "a:1", ""},
           {"{host}:4751", "a:1", nullptr},
           {"ftp://{host}", "a:1", nullptr},
           {"", "a:1", nullptr},
           {"http://", "a:1", nullptr},
           {"http:///x", "a:1", nullptr},
           {"http://user:secret@{host}:4751", "a:1", nullptr},
           {"http://{host}:4751?token=x", "a:1", nullptr},
       }) {
    const absl::StatusOr<std::string> url = StatusUrl(row.pattern, row.address);
    EXPECT_EQ(url.ok(), row.url != nullptr) << row.pattern;
    if (url.ok() && row.url != nullptr) {
      EXPECT_EQ(*url, row.url) << row.pattern;
    }
    if (!url.ok()) {
      EXPECT_EQ(std::string(url.status().message()).find("secret"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace ampari
