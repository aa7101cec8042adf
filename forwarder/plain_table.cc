#include "forwarder/plain_table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"

namespace ampari {
namespace {

// In characters; each is taken to be one column wide.
size_t Width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void AppendLine(const std::vector<std::string>& cells, const std::vector<size_t>& widths,
                std::string* out) {
  for (size_t i = 0; i < cells.size(); ++i) {
    out->append(cells[i]);
    if (i + 1 < cells.size()) out->append(widths[i] - Width(cells[i]) + 2, ' ');
  }
  while (out->ends_with(' ')) out->pop_back();
  out->push_back('\n');
}

std::vector<std::string> Printable(const std::vector<std::string>& cells) {
  std::vector<std::string> printable;
  for (const std::string& cell : cells) printable.push_back(PrintableText(cell));
  return printable;
}

void AppendHtmlRow(const std::vector<std::string>& cells, const char* tag, std::string* out) {
  out->append("<tr>");
  for (const std::string& cell : cells) {
    absl::StrAppend(out, "<", tag, ">", EscapedHtml(PrintableText(cell)), "</", tag, ">");
  }
  out->append("</tr>\n");
}

}  // namespace

std::string PrintableText(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    char32_t unused;
    const size_t length = std::max<size_t>(1, DecodeUtf8(text, &unused));
    const std::string_view piece = text.substr(0, length);
    if (length == 1 && absl::ascii_isprint(static_cast<unsigned char>(piece[0]))) {
      out.append(piece);
    } else {
      const std::string quoted = Quoted(piece);
      out.append(quoted, 1, quoted.size() - 2);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string EscapedHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string TableText(const PlainTable& table) {
  std::string out = absl::StrCat(table.title, ": ");
  if (table.rows.empty()) return out + "none\n";
  absl::StrAppend(&out, table.rows.size(), "\n");
  std::vector<std::vector<std::string>> lines = {table.columns};
  for (const std::vector<std::string>& row : table.rows) lines.push_back(Printable(row));
  std::vector<size_t> widths(table.columns.size(), 0);
  for (const std::vector<std::string>& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], Width(line[i]));
  }
  for (const std::vector<std::string>& line : lines) AppendLine(line, widths, &out);
  return out;
}

std::string TableHtml(const PlainTable& table) {
  std::string out =
      absl::StrCat("<h2>", EscapedHtml(table.title), ": ", table.rows.size(), "</h2>\n");
  if (table.rows.empty()) return out;
  out += "<table>\n";
  AppendHtmlRow(table.columns, "th", &out);
  for (const std::vector<std::string>& row : table.rows) AppendHtmlRow(row, "td", &out);
  return out + "</table>\n";
}

}  // namespace ampari
