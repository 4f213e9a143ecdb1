#include "study/merge_origin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "study/frontier.hpp"
#include "text/number.hpp"

namespace afford::study {
namespace {

constexpr std::int64_t most_parts = 1'000'000;

Objective objective_at(const RowAt& at, const MergeKeys& keys) {
  for (const auto& [name, value] : objective_names) {
    if (name == at.text(keys.objective)) return value;
  }
  at.fail(keys.objective, "objective", "tokens, usd, both or interactivity");
}

Part part_at(const RowAt& at, const MergeKeys& keys) {
  const std::string& text = at.text(keys.shard);
  const size_t slash = text.find('/');
  const auto index = parse_integer(std::string_view(text).substr(0, slash));
  const auto of = slash == std::string::npos
                      ? std::nullopt
                      : parse_integer(std::string_view(text).substr(slash + 1));
  if (!index || !of || *index < 1 || *index > *of || *of > most_parts)
    at.fail(keys.shard, "shard", "a part such as 3/8");
  return {*index, *of};
}

}  // namespace

MergeKeys merge_keys(const std::vector<std::string>& header) {
  const auto at = [&](std::string_view name) {
    return static_cast<size_t>(std::find(header.begin(), header.end(), name) - header.begin());
  };
  return {.model = at("model"),
          .context = at("context_tokens"),
          .tpot = at("tpot_ms"),
          .tokens = at("tokens_per_gpu_s"),
          .usd = at("usd_per_mtok"),
          .verdict = at("verdict"),
          .winner = at("winner"),
          .number = at("case"),
          .candidate = at("candidate"),
          .objective = at("objective"),
          .tpot_limit = at("tpot_limit_ms"),
          .shard = at("shard"),
          .complete = at("complete"),
          .search = at("search"),
          .rows = at("rows"),
          .ttft = at("ttft_ms"),
          .ttft_limit = at("ttft_limit_ms")};
}

Origin origin_at(const RowAt& at, const MergeKeys& keys) {
  if (at.text(keys.search).empty()) at.fail(keys.search, "search", "what tells searches apart");
  return {.file = at.reader.file(),
          .part = part_at(at, keys),
          .search = at.text(keys.search),
          .rows = at.whole(keys.rows, "rows", 1, most_merged_rows),
          .objective = objective_at(at, keys),
          .tpot_limit_ms = at.number(keys.tpot_limit, "tpot_limit_ms")};
}

void require_same_search(const Origin& origin, const Origin& first, const RowAt& at,
                         const MergeKeys& keys) {
  constexpr std::string_view rule = "only parts of one search merge";
  if (origin.objective != first.objective) {
    throw InputError(at.place(keys.objective),
                     fmt::format("objective {}, but {} has {}; {}", name_of(origin.objective),
                                 first.file, name_of(first.objective), rule));
  }
  if (origin.tpot_limit_ms != first.tpot_limit_ms) {
    throw InputError(at.place(keys.tpot_limit),
                     fmt::format("TPOT limit of {} ms, but {} has {} ms; {}", origin.tpot_limit_ms,
                                 first.file, first.tpot_limit_ms, rule));
  }
  if (origin.part.of != first.part.of) {
    throw InputError(at.place(keys.shard),
                     fmt::format("a part of {}, but {} is one of {}; {}", origin.part.of,
                                 first.file, first.part.of, rule));
  }
  if (origin.search != first.search) {
    throw InputError(at.place(keys.search),
                     fmt::format("search {}, but {} has {}: bounds, models, chips, prices or "
                                 "calibrations differ; {}",
                                 origin.search, first.file, first.search, rule));
  }
}

void require_within_limits(const RowAt& at, const MergeKeys& keys, double tpot_limit_ms) {
  if (at.number(keys.tpot, "tpot_ms") > tpot_limit_ms)
    at.fail(keys.tpot, "tpot_ms", fmt::format("at most the limit of {} ms", tpot_limit_ms));
  if (keys.ttft_limit >= at.row.fields.size() || at.text(keys.ttft_limit).empty()) return;
  const double limit_ms = at.number(keys.ttft_limit, "ttft_limit_ms");
  if (at.number(keys.ttft, "ttft_ms") > limit_ms)
    at.fail(keys.ttft, "ttft_ms", fmt::format("at most the limit of {} ms", limit_ms));
}

}  // namespace afford::study
