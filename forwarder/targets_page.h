// The page /targets: JSON, or for people tables of scraped targets and log files, as plain text for
// a terminal or as HTML. Pure.
//
// Nothing of what the tables hold becomes markup or moves a cursor: in both forms what is not
// printable is escaped as Go's strconv.Quote does it, in HTML & < > " ' too. The HTML has neither
// scripts, styles nor links.
#pragma once

#include <string>

#include "forwarder/pages.h"
#include "forwarder/status.h"

namespace ampari {

std::string TargetsPage(ForwarderView view, PageForm form);

}  // namespace ampari
