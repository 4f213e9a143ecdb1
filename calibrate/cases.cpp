#include "cases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "units.hpp"

namespace afford::calibrate {
namespace {

constexpr std::string_view names[] = {
    "tensor",        "read",         "read_parts",       "write",      "copy",        "l2_read",
    "launch_stream", "launch_graph", "launch_dependent", "mfa_decode", "gqa_decode",  "mla_decode",
    "mfa_prefill",   "gqa_prefill",  "mla_prefill",      "moe_ffn",    "moe_gate_up", "moe_down",
    "dense"};

int place(const Case& one) {
  return static_cast<int>(std::find(std::begin(names), std::end(names), one.point.operation) -
                          std::begin(names));
}

}  // namespace

std::span<const std::string_view> operations() { return names; }

void sort_by_operation(std::vector<Case>& cases) {
  std::stable_sort(cases.begin(), cases.end(),
                   [](const Case& a, const Case& b) { return place(a) < place(b); });
}

std::vector<Case> thin(const std::vector<Case>& cases, size_t most) {
  const auto key = [](const Point& p) { return p.operation + ' ' + p.precision; };
  std::map<std::string, size_t> count, seen;
  for (const Case& one : cases) ++count[key(one.point)];
  std::vector<Case> kept;
  for (const Case& one : cases) {
    const size_t all = count[key(one.point)], i = seen[key(one.point)]++;
    // Kept when one of the `most` marks, evenly laid over the cases, falls on it.
    const bool marked =
        all <= most || i == 0 || i * (most - 1) / (all - 1) > (i - 1) * (most - 1) / (all - 1);
    if (marked) kept.push_back(one);
  }
  return kept;
}

std::vector<Case> only(const std::vector<Case>& cases, std::span<const std::string> chosen) {
  if (chosen.empty()) return cases;
  std::vector<Case> kept;
  for (const Case& one : cases) {
    const std::string& operation = one.point.operation;
    if (operation == "read" || operation == "tensor" ||
        std::find(chosen.begin(), chosen.end(), operation) != chosen.end())
      kept.push_back(one);
  }
  return kept;
}

std::string shape_text(const Point& p) {
  if (p.batch > 0 && p.tokens > 0)
    return fmt::format("{}/{} d{}, {} x {} new of {:.0f}", p.query_heads, p.kv_heads, p.head_dim,
                       p.batch, p.tokens, p.context_tokens);
  if (p.batch > 0) {
    const bool uneven = static_cast<double>(p.longest_tokens) > p.context_tokens;
    return fmt::format("{}/{} d{}, {} x {:.0f}{}{}", p.query_heads, p.kv_heads, p.head_dim, p.batch,
                       p.context_tokens,
                       uneven ? fmt::format(" (longest {})", p.longest_tokens) : "",
                       p.paged ? ", paged" : "");
  }
  if (p.hidden > 0) {
    const bool uneven = p.busiest_tokens * p.experts > p.tokens;
    return fmt::format("{} experts {} x {}, {} tokens{}", p.experts, p.hidden, p.intermediate,
                       p.tokens, uneven ? fmt::format(" (busiest {})", p.busiest_tokens) : "");
  }
  if (p.m > 0) return fmt::format("{} x {} x {}", p.m, p.n, p.k);
  if (p.bytes == 0) return p.tag;
  return fmt::format("{:.4g} MB{}", Bytes(p.bytes) / MB, p.tag.empty() ? "" : ", " + p.tag);
}

}  // namespace afford::calibrate
