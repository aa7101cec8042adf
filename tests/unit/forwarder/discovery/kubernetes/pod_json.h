// Answers of the Kubernetes API about small pods, for tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ampari {

// A pod of namespace n with one container without ports: its one target is the IP.
inline std::string PodJson(const std::string& name, const std::string& ip, int version = 1) {
  return absl::StrCat(R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":")", name,
                      R"(","namespace":"n","uid":"u-)", name, R"(","resourceVersion":")", version,
                      R"("},"spec":{"nodeName":"node-1","containers":[{"name":"c","image":"i"}]},)",
                      R"("status":{"phase":"Running","podIP":")", ip, R"("}})");
}

inline std::string ListJson(const std::vector<std::string>& pods, const std::string& version,
                            const std::string& continue_token = "") {
  return absl::StrCat(R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":")",
                      version, R"(","continue":")", continue_token, R"("},"items":[)",
                      absl::StrJoin(pods, ","), "]}");
}

inline std::string EventJson(const std::string& type, const std::string& object) {
  return absl::StrCat(R"({"type":")", type, R"(","object":)", object, "}\n");
}

inline std::string BookmarkJson(int version) {
  return EventJson(
      "BOOKMARK",
      absl::StrCat(R"({"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":")", version,
                   R"(","creationTimestamp":null},"spec":{"containers":null},"status":{}})"));
}

inline std::string StatusJson(int code, const std::string& message, int retry_after = 0) {
  return absl::StrCat(R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)",
                      R"("message":")", message, R"(","reason":"R","details":{)",
                      R"("retryAfterSeconds":)", retry_after, R"(},"code":)", code, "}");
}

}  // namespace ampari
