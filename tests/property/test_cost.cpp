// Claims that hold for any model, chip and context, tried on random ones.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <random>

#include "ideal/ideal.hpp"
#include "ideal/matching.hpp"
#include "load/library.hpp"

using namespace afford;

namespace {

constexpr int trials = 500;

struct RandomShapes {
  std::mt19937_64 bits{20251123};
  double between(double low, double high) {  // log-uniform
    return low * std::pow(high / low, std::uniform_real_distribution<>(0, 1)(bits));
  }
  std::int64_t integer(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(bits);
  }
};

ModelSpec random_model(RandomShapes& random) {
  ModelSpec model;
  model.name = "random";
  model.hidden = 64 * random.integer(1, 200);
  model.vocab = random.integer(1000, 200000);
  const std::int64_t heads = random.integer(1, 128), dim = 32 * random.integer(1, 8);
  const std::array<AttentionShape, 8> shapes = {
      Gqa{.query_heads = 4 * heads,
          .kv_heads = heads,
          .head_dim = dim,
          .reach = {Reach::Kind::sliding, random.integer(1, 9999)}},
      Mfa{.query_heads = heads, .head_dim = dim, .query_rank = random.integer(1, 4096)},
      Mla{.query_heads = heads,
          .query_rank = random.integer(0, 2048),
          .kv_rank = 512,
          .nope_dim = 128,
          .rope_dim = 64,
          .value_dim = 128},
      Lightning{.heads = heads, .head_dim = dim},
      Msa{.gqa = {.query_heads = 4 * heads, .kv_heads = heads, .head_dim = dim},
          .index_heads = heads,
          .index_dim = dim,
          .top_k = random.integer(1, 9999)},
      Mamba1{.channels = heads * dim,
             .state_dim = 16,
             .dt_rank = random.integer(1, 512),
             .conv_kernel = 4},
      Concat{.query_heads = 4 * heads,
             .kv_heads = heads,
             .head_dim = dim,
             .adapter_rank = random.integer(0, 256)},
      Rwkv7{.heads = heads,
            .head_dim = dim,
            .decay_rank = random.integer(1, 512),
            .rate_rank = 64,
            .value_rank = 32,
            .gate_rank = 128}};
  for (const AttentionShape& shape : shapes) {
    model.attentions.push_back({.name = "a", .shape = shape, .cache = {}, .source = ""});
    if (random.integer(0, 2) == 0) model.attentions.back().compute = Dtype::bf16;
    if (random.integer(0, 2) == 0) model.attentions.back().weight_sets = random.integer(1, 8);
  }
  model.ffns.push_back({.name = "f",
                        .shape = Moe{.experts = 64,
                                     .active = random.integer(1, 64),
                                     .intermediate = random.integer(1, 9999)},
                        .source = ""});
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (i == 0 || random.integer(0, 1) == 1)
      model.layer_kinds.push_back({.attention = i, .ffn = 0, .layers = random.integer(1, 100)});
  }
  return model;
}

Roofs random_roofs(RandomShapes& random) {
  Roofs roofs{.attention = FlopRate(random.between(1e13, 1e16)),
              .linear = FlopRate(random.between(1e13, 1e16)),
              .ffn = FlopRate(random.between(1e13, 1e16)),
              .memory = ByteRate(random.between(1e11, 1e13))};
  for (FlopRate& rate : roofs.of) rate = FlopRate(random.between(1e13, 1e16));
  return roofs;
}

double total(const DecodeTime& time) { return (time.core + time.linear + time.ffn).base(); }

}  // namespace

TEST_SUITE("property") {
  TEST_CASE("a faster chip, in any respect, is never slower; a longer context never faster") {
    RandomShapes random;
    for (int i = 0; i < trials; ++i) {
      const DecodeTerms terms = decode_terms(random_model(random), Convention::exact, {});
      const double context = static_cast<double>(random.integer(1, 200000)),
                   factor = random.between(1, 10);
      const Roofs roof = random_roofs(random);
      const double time = total(ideal_time(terms, context, roof));
      for (FlopRate Roofs::*rate : {&Roofs::attention, &Roofs::linear, &Roofs::ffn}) {
        Roofs faster = roof;
        faster.*rate = factor * (roof.*rate);
        CHECK(total(ideal_time(terms, context, faster)) <= time);
      }
      Roofs wider = roof;
      wider.memory = factor * roof.memory;
      CHECK(total(ideal_time(terms, context, wider)) <= time);
      CHECK(total(ideal_time(terms, context * factor, roof)) >= time);
    }
  }

  TEST_CASE("the core's time is never below either roof, and is the sum over its groups") {
    RandomShapes random;
    for (int i = 0; i < trials; ++i) {
      const DecodeTerms terms = decode_terms(random_model(random), Convention::paper, {});
      const double context = static_cast<double>(random.integer(1, 200000));
      const Roofs roof = random_roofs(random);
      const DecodeCount count = count_at(terms, context);
      const SecondsPerToken core = ideal_time(terms, context, roof).core;
      CHECK(core.base() >= (count.attention / roof.attention).base() * (1 - 1e-12));
      CHECK(core.base() >= (count.kv / roof.memory).base() * (1 - 1e-12));
      double sum = 0;
      for (const AttentionTerms& group : terms.attention) {
        DecodeTerms alone;
        alone.attention = {group};
        sum += ideal_time(alone, context, roof).core.base();
      }
      CHECK(core.base() == doctest::Approx(sum));
    }
  }

  TEST_CASE("cost is linear in the price, and AFD never loses against one chip") {
    RandomShapes random;
    for (int i = 0; i < trials; ++i) {
      const DecodeTerms terms = decode_terms(random_model(random), Convention::paper, {});
      const double context = static_cast<double>(random.integer(1, 200000));
      std::vector<TokenCost> costs;
      for (int chip = 0; chip < 4; ++chip) {
        const Roofs roof = random_roofs(random);
        const UsdRate rate = random.between(0.1, 10) * usd_per_hour;
        costs.push_back(ideal_cost(terms, context, roof, rate).cost);
        CHECK(ideal_cost(terms, context, roof, 2 * rate).cost.total().base() ==
              doctest::Approx(2 * costs.back().total().base()));
      }
      const CheapestChips best = cheapest(costs);
      CHECK(costs[best.attention].attention + costs[best.ffn].ffn <= costs[best.single].total());
      for (const TokenCost& cost : costs) CHECK(costs[best.single].total() <= cost.total());
    }
  }

  TEST_CASE("higher acceptance never costs more; a draft that is never accepted never pays") {
    RandomShapes random;
    for (int i = 0; i < trials; ++i) {
      const ModelSpec model = random_model(random);
      const Roofs roof = random_roofs(random);
      const double context = static_cast<double>(random.integer(1, 200000));
      const int drafts = static_cast<int>(random.integer(1, 4));
      const auto time = [&](const Speculation& s) {
        return total(ideal_time(decode_terms(model, Convention::paper, s), context, roof));
      };
      const double low = time({.drafts = drafts, .acceptance = 0.3}),
                   high = time({.drafts = drafts, .acceptance = 0.9});
      CHECK(high <= low);
      CHECK(time({.drafts = drafts, .acceptance = 0}) >= time({}));
    }
  }

  TEST_CASE("more network lowers the smallest sparsity in proportion; a longer TPOT likewise") {
    RandomShapes random;
    for (int i = 0; i < trials; ++i) {
      const ModelSpec model = random_model(random);
      const FlopsPerByte ridge(random.between(10, 1000));
      const ByteRate network(random.between(1e9, 1e13));
      const double least = min_sparsity(model, ridge, network, {});
      CHECK(min_sparsity(model, ridge, 2 * network, {}) == doctest::Approx(least / 2));
      CHECK(min_sparsity(model, ridge, network, {.tpot = Seconds(0.1), .stages = 3}) ==
            doctest::Approx(least / 2));
      CHECK(min_sparsity(model, ridge, network, {.tpot = Seconds(0.05), .stages = 4}) ==
            doctest::Approx(least * 4 / 3));
    }
  }
}
