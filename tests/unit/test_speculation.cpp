#include <doctest/doctest.h>

#include "count/decode.hpp"
#include "load/library.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("tokens a step: 1 + p + p^2 + ...") {
    CHECK(tokens_per_step({}) == 1);
    CHECK(tokens_per_step({.drafts = 1, .acceptance = 0.7}) == doctest::Approx(1.7));
    CHECK(tokens_per_step({.drafts = 2, .acceptance = 0.5}) == doctest::Approx(1.75));
    CHECK(tokens_per_step({.drafts = 3, .acceptance = 1}) == 4);
    CHECK(tokens_per_step({.drafts = 3, .acceptance = 0}) == 1);
  }

  TEST_CASE("one draft doubles the intensity whatever is accepted (Step-3 report, Section 5)") {
    const ModelSpec model = load_models({"deepseek-v3"}).front();
    const double plain =
        attention_intensity(decode_terms(model, Convention::paper, {}), 8192).base();
    for (const double p : {0.0, 0.5, 1.0}) {
      const DecodeTerms terms =
          decode_terms(model, Convention::paper, {.drafts = 1, .acceptance = p});
      CHECK(attention_intensity(terms, 8192).base() == doctest::Approx(2 * plain));
    }
  }

  TEST_CASE("FFN work of a step grows by the query tokens and the draft layer, accepted or not") {
    const ModelSpec model = load_models({"deepseek-v3"}).front();
    const double plain = decode_terms(model, Convention::paper, {}).ffn.base();
    const double draft_layer =
        2 * 3 * 7168.0 * 9 * 2048;  // one MoE layer: 8 routed experts and a shared one
    for (const double p : {0.0, 0.7}) {
      const DecodeTerms terms =
          decode_terms(model, Convention::paper, {.drafts = 1, .acceptance = p});
      CHECK(terms.ffn.base() * (1 + p) == doctest::Approx(2 * plain + draft_layer));
    }
  }

  TEST_CASE("the cache is read once a step, and once more in the draft layer") {
    const ModelSpec model = load_models({"deepseek-v3"}).front();
    const DecodeTerms terms =
        decode_terms(model, Convention::paper, {.drafts = 1, .acceptance = 1});
    CHECK(count_at(terms, 8192).kv.base() == doctest::Approx(576.0 * 8192 * (61 + 1) / 2));
  }
}
