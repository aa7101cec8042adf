// What jobs of scrape_configs and log_configs have in common: where their targets come from, and
// relabelling.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/config/mapping_reader.h"
#include "common/config/yaml_writer.h"
#include "common/relabel/relabel.h"
#include "forwarder/config.h"

namespace ampari {

enum class StaticTargets {
  kAddresses,   // each must be a host, with or without a port
  kRelabelled,  // rules decide what becomes of them
  kThisHost,    // they say nothing; a group without any is of this host
};

// static_configs, file_sd_configs and kubernetes_sd_configs; other discoveries are unsupported by
// name.
void ReadJobSources(MappingReader& job, StaticTargets targets, JobSources* sources);
void WriteJobSources(const JobSources& sources, MappingWriter* job);

// Warns of a job without targets and of API servers whose certificate is not checked.
void WarnAboutSources(MappingReader& job, const JobSources& sources);

// The rules as written, and compiled. What is wrong is an error of the block's file.
Relabeler ReadRelabeler(MappingReader& job, const char* key, std::vector<RelabelRule>* rules);

// "; add …": rules in the form that can be pasted at the end of the job's relabel_configs.
std::string RulesToPaste(MappingReader& job, std::span<const char* const> rules);

}  // namespace ampari
