// LinkRoots: where links among log files may lead; every other link is refused.
#pragma once

#include <string>
#include <vector>

namespace ampari {

struct LinkRoots {
  // Directories of pods. A link to a log there (as in /var/log/containers) means that log.
  std::vector<std::string> pods = {"/var/log/pods"};
  // Directories of a runtime's own files. A link to one of them (as Docker's in /var/log/pods) is
  // the log itself; what its rotation leaves lies beside the file.
  std::vector<std::string> files = {"/var/lib/docker/containers"};
};

}  // namespace ampari
