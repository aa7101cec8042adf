// PlainTable: rows of texts from anywhere, written so that they stay texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ampari {

struct PlainTable {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // as many cells as columns
};

// What is not printable, or not UTF-8, escaped; one line.
std::string PrintableText(std::string_view text);
std::string EscapedHtml(std::string_view text);  // & < > " '

// Columns are as wide as their widest cell. Without rows: the title and "none".
std::string TableText(const PlainTable& table);
std::string TableHtml(const PlainTable& table);

}  // namespace ampari
