#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "cases.hpp"

using namespace afford;
using namespace afford::calibrate;

TEST_SUITE_BEGIN("unit");

namespace {

std::map<std::string, int> count_by_curve(const std::vector<Case>& cases) {
  std::map<std::string, int> count;
  for (const Case& one : cases) ++count[one.point.operation + ' ' + one.point.precision];
  return count;
}

}  // namespace

TEST_CASE("every curve of a calibration has six points or more, quick or not") {
  const std::vector<Case> full = calibration_cases();
  for (const auto& cases : {full, thin(full, 6)})
    for (const auto& [curve, count] : count_by_curve(cases)) {
      const std::string& name = curve;
      CAPTURE(name);
      if (curve.starts_with("launch_") || curve.starts_with("tensor"))
        CHECK(count == 1);
      else
        CHECK(count >= 6);
    }
}

TEST_CASE("every operation is measured and checked, under a known name") {
  const auto names = operations();
  for (const auto& cases : {calibration_cases(), verification_cases()}) {
    std::set<std::string_view> seen;
    for (const Case& one : cases) {
      seen.insert(one.point.operation);
      CHECK(std::find(names.begin(), names.end(), one.point.operation) != names.end());
    }
    for (const std::string_view name : names)
      if (!name.starts_with("launch_")) CHECK(seen.contains(name));
  }
}

TEST_CASE("beside every expert network in FP8 stand the library's two products of its experts") {
  const std::vector<Case> cases = beside_cases();
  CHECK(cases.front().point.operation == "read");
  int networks = 0;
  for (const Case& one : cases) {
    const Point& p = one.point;
    if (p.operation != "moe_ffn" || p.precision != "fp8_128") continue;
    ++networks;
    CAPTURE(shape_text(p));
    const auto has = [&](std::int64_t n, std::int64_t k) {
      return std::any_of(cases.begin(), cases.end(), [&](const Case& other) {
        const Point& q = other.point;
        return q.operation == "dense" && q.precision == p.precision && q.m == p.busiest_tokens &&
               q.n == n && q.k == k;
      });
    };
    CHECK(has(2 * p.intermediate, p.hidden));
    CHECK(has(p.hidden, p.intermediate));
  }
  CHECK(networks == 10);
}

TEST_CASE("the roofs come first, because gates need them") {
  const std::vector<Case> cases = calibration_cases();
  const auto of = [&](bool reads) {
    return std::find_if(cases.begin(), cases.end(), [&](const Case& one) {
      return reads == (one.point.operation == "read") && (reads || one.point.bytes == 0) &&
             one.point.operation != "tensor";
    });
  };
  CHECK(cases.front().point.operation == "tensor");  // while the GPU is as hot as it gets
  CHECK(of(true) < of(false));                       // read before all that it bounds
}

TEST_CASE("thinning keeps the first and the last of each curve and at most so many") {
  const std::vector<Case> full = calibration_cases();
  const std::vector<Case> few = thin(full, 6);
  const auto before = count_by_curve(full), after = count_by_curve(few);
  for (const auto& [curve, count] : before) {
    const std::string& name = curve;
    CAPTURE(name);
    CHECK(after.at(curve) == std::min(count, 6));
  }
  CHECK(few.back().point.m == full.back().point.m);
  CHECK(few.back().point.n == full.back().point.n);
}

TEST_CASE("only the operations asked for, beside the roofs they are put to") {
  const std::vector<std::string> asked{"mla_decode"};
  for (const Case& one : only(calibration_cases(), asked)) {
    const std::string& operation = one.point.operation;
    CHECK((operation == "mla_decode" || operation == "read" || operation == "tensor"));
  }
  CHECK(only(calibration_cases(), {}).size() == calibration_cases().size());
}

TEST_CASE("the shape of a case agrees with its lengths and tokens") {
  for (const auto& cases : {calibration_cases(), verification_cases()})
    for (const Case& one : cases) {
      CAPTURE(shape_text(one.point));
      if (!one.lengths.empty()) {
        CHECK(one.point.batch == static_cast<std::int64_t>(one.lengths.size()));
        CHECK(*std::min_element(one.lengths.begin(), one.lengths.end()) >= 1);
        const double tokens = std::accumulate(one.lengths.begin(), one.lengths.end(), 0.0);
        CHECK(one.point.context_tokens * static_cast<double>(one.point.batch) ==
              doctest::Approx(tokens));
      }
      if (!one.tokens.empty()) {
        CHECK(one.point.tokens >= 1);
        CHECK(one.point.busiest_tokens * one.point.experts >= one.point.tokens);
        CHECK(one.point.experts <= static_cast<std::int64_t>(one.tokens.size()));
      }
    }
}

TEST_CASE("KV caches fill between a few MB and 9 GB") {
  for (const Case& one : calibration_cases()) {
    const Point& p = one.point;
    if (p.operation != "mfa_decode" && p.operation != "gqa_decode") continue;
    const double element = p.precision == "fp8" ? 1 : 2;
    const double bytes =
        2 * element * static_cast<double>(p.batch * p.kv_heads * p.head_dim) * p.context_tokens;
    CAPTURE(shape_text(p));
    CHECK(bytes < 9e9);
  }
}

TEST_CASE(
    "mixed lengths: their mean near the one asked for, the longest several times the shortest") {
  const std::vector<int> lengths = mixed_lengths(256, 4096);
  const double mean = std::accumulate(lengths.begin(), lengths.end(), 0.0) / 256;
  CHECK(mean == doctest::Approx(4096).epsilon(0.06));
  CHECK(*std::max_element(lengths.begin(), lengths.end()) >
        8 * *std::min_element(lengths.begin(), lengths.end()));
}

TEST_CASE(
    "prompts to check end within tiles, over none, one and many tokens, in groups of 1 to 16") {
  std::set<std::int64_t> prefixes, groups, odd;
  for (const Case& one : verification_cases()) {
    const Point& p = one.point;
    if (p.operation != "gqa_prefill") continue;
    const auto prefix = static_cast<std::int64_t>(p.context_tokens) - p.tokens;
    prefixes.insert(prefix);
    groups.insert(p.query_heads / p.kv_heads);
    odd.insert(p.tokens % 128);
  }
  for (const std::int64_t prefix : {0, 1, 11, 4097}) CHECK(prefixes.contains(prefix));
  for (const std::int64_t group : {1, 4, 8, 16}) CHECK(groups.contains(group));
  for (const std::int64_t rest : {0, 1, 64, 127}) CHECK(odd.contains(rest));
}

TEST_CASE(
    "MLA is measured and checked over caches in BF16 and in FP8, of 128 and 16 heads, paged") {
  for (const auto& cases : {calibration_cases(), verification_cases()}) {
    std::set<std::pair<std::string, std::int64_t>> kinds;
    std::set<std::string> paged;
    for (const Case& one : cases) {
      if (one.point.operation != "mla_decode") continue;
      kinds.emplace(one.point.precision, one.point.query_heads);
      if (one.point.paged) paged.insert(one.point.precision);
    }
    CHECK(kinds == std::set<std::pair<std::string, std::int64_t>>{
                       {"bf16", 16}, {"bf16", 128}, {"fp8_cache", 16}, {"fp8_cache", 128}});
    CHECK(paged == std::set<std::string>{"bf16", "fp8_cache"});
  }
}

TEST_CASE("skewed tokens: all are there, the busiest has several times the mean") {
  const std::vector<int> tokens = skewed_tokens(16, 128);
  CHECK(std::accumulate(tokens.begin(), tokens.end(), 0) == 16 * 128);
  CHECK(*std::max_element(tokens.begin(), tokens.end()) > 2 * 128);
  CHECK(*std::min_element(tokens.begin(), tokens.end()) > 0);
}

TEST_CASE("verification has single tokens, odd lengths, empty experts and pages") {
  bool single = false, odd = false, empty = false, paged = false;
  for (const Case& one : verification_cases()) {
    single = single || one.lengths == std::vector<int>{1};
    odd = odd || std::count(one.lengths.begin(), one.lengths.end(), 4097) > 0;
    empty = empty || std::count(one.tokens.begin(), one.tokens.end(), 0) > 0;
    paged = paged || one.point.paged;
  }
  CHECK(single);
  CHECK(odd);
  CHECK(empty);
  CHECK(paged);
}

TEST_CASE("shapes as people read them") {
  Point attention;
  attention.query_heads = 64, attention.kv_heads = 4, attention.head_dim = 128;
  attention.batch = 2, attention.context_tokens = 100, attention.longest_tokens = 150,
  attention.paged = true;
  CHECK(shape_text(attention) == "64/4 d128, 2 x 100 (longest 150), paged");
  Point prompt;
  prompt.query_heads = 64, prompt.kv_heads = 4, prompt.head_dim = 128;
  prompt.batch = 1, prompt.tokens = 2048, prompt.context_tokens = 34816;
  CHECK(shape_text(prompt) == "64/4 d128, 1 x 2048 new of 34816");
  Point moe;
  moe.experts = 6, moe.hidden = 7168, moe.intermediate = 5120, moe.tokens = 192,
  moe.busiest_tokens = 32;
  CHECK(shape_text(moe) == "6 experts 7168 x 5120, 192 tokens");
  Point read;
  read.bytes = 5e8;
  CHECK(shape_text(read) == "500 MB");
}

TEST_SUITE_END();
