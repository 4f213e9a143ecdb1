#include <doctest/doctest.h>

#include "count/decode.hpp"
#include "kernels/formats.hpp"
#include "load/library.hpp"
#include "spec/overrides.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("a chip without FP8 stores INT8 and computes in BF16, though it has INT8 rates") {
    const auto chips = load_hardware({"h800", "a800"});
    const ModelSpec model = load_models({"step-3"}).front();
    CHECK_FALSE(falls_back(chips[0], model.precision));
    REQUIRE(falls_back(chips[1], model.precision));
    const Precision run = precision_on(chips[1], model.precision);
    CHECK(run.kv == Dtype::int8);
    CHECK(run.ffn_weights == Dtype::int8);
    CHECK(run.attention_compute == Dtype::bf16);
    CHECK(run.ffn_compute == Dtype::bf16);
    CHECK(bits_of(run.kv) == bits_of(model.precision.kv));
  }

  TEST_CASE("FP4 widens to FP8 where there is no FP4, and stays where there is") {
    const auto chips = load_hardware({"h800", "b200", "a800"});
    CHECK(compute_format(chips[0], Dtype::fp4) == Dtype::fp8);
    CHECK(compute_format(chips[1], Dtype::fp4) == Dtype::fp4);
    CHECK(compute_format(chips[2], Dtype::fp4) == Dtype::bf16);
    CHECK(compute_format(chips[0], Dtype::int8) == Dtype::bf16);
  }

  TEST_CASE("formats asked for replace the model's: KV everywhere, a recurrent state never") {
    const ModelSpec model = load_models({"minimax-m1"}).front();
    const ModelSpec int4 = with_formats(model, {.attention = {}, .kv = Dtype::int4, .weights = {}});
    const double state = 70 * 2 * 4 * 64 * 128 * 128.0, bf16 = 10 * 2 * 2 * 8 * 128 * 8192.0;
    CHECK(count_at(decode_terms(model, Convention::paper, {}), 8192).kv.base() ==
          doctest::Approx(state + bf16));
    CHECK(count_at(decode_terms(int4, Convention::paper, {}), 8192).kv.base() ==
          doctest::Approx(state + bf16 / 4));
    CHECK(int4.precision.attention_compute == Dtype::fp8);
  }

  TEST_CASE(
      "attention in BF16 takes its KV cache along; weights of 8 bits and more set their products' "
      "format") {
    const ModelSpec model = load_models({"step-3"}).front();
    const ModelSpec attention =
        with_formats(model, {.attention = Dtype::bf16, .kv = {}, .weights = {}});
    CHECK(attention.precision.attention_compute == Dtype::bf16);
    CHECK(attention.precision.kv == Dtype::bf16);
    CHECK(attention.precision.ffn_compute == Dtype::fp8);
    const ModelSpec both =
        with_formats(model, {.attention = Dtype::bf16, .kv = Dtype::fp8, .weights = {}});
    CHECK(both.precision.kv == Dtype::fp8);
    CHECK(with_formats(model, {.attention = {}, .kv = {}, .weights = Dtype::bf16})
              .precision.ffn_compute == Dtype::bf16);
    CHECK(with_formats(model, {.attention = {}, .kv = {}, .weights = Dtype::int4})
              .precision.ffn_compute == Dtype::fp8);
  }
}
