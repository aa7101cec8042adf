// log_configs: which files of containers are read. A job has job_name, the discoveries and
// relabel_configs of a scrape job, and settings of its lines (log_line_config.h).
#pragma once

#include <vector>

#include "common/config/mapping_reader.h"
#include "common/config/yaml_writer.h"
#include "forwarder/config.h"

namespace ampari {

// What is wrong is an error of the file; job names are unique among log_configs. Warns of jobs that
// load but would not do what they seem to.
void ReadLogJobs(MappingReader& root, const ForwarderConfigOptions& options,
                 std::vector<LogJobConfig>* jobs);

// As the section reads it.
std::vector<MappingWriter> LogJobBlocks(const std::vector<LogJobConfig>& jobs);

}  // namespace ampari
