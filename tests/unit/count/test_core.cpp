// The three walks over a core: FLOPs, bytes moved, bytes kept.
#include <doctest/doctest.h>

#include "count/core.hpp"
#include "load/library.hpp"
#include "spec/attention/kinds.hpp"
#include "spec/overrides.hpp"

using namespace afford;

namespace {

/// A walk over everything, one over a window of 100, one over an indexer's keys, one in four.
Core mixed() {
  Core core;
  core.add({.flops = 10, .elements = 2, .reach = {Reach::Kind::selected, 50}});
  core.add({.flops = 20, .elements = 4, .reach = {Reach::Kind::sliding, 100}, .kept = false});
  core.add({.flops = 3, .elements = 8, .stride = 4, .format = Dtype::fp8, .by = Walk::By::indexer});
  core.state = {.elements = 1000, .flops = 7000};
  core.convolution = {.read = 30, .written = 10};
  return core;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("FLOPs of a core: entries read times each walk's, and the state's") {
    CHECK(core_flops(mixed(), 400) == 10 * 50 + 20 * 100 + 3 * 100 + 7000);
    CHECK(core_flops(mixed(), 40) == 10 * 40 + 20 * 40 + 3 * 10 + 7000);
    // Tiles pad the query heads alone: neither the indexer nor a state has them.
    CHECK(core_flops(mixed(), 400, 2) == 2 * (10 * 50 + 20 * 100) + 3 * 100 + 7000);
  }

  TEST_CASE("bytes a token moves: read, written back, appended") {
    const CoreTraffic traffic = core_traffic(mixed(), Dtype::bf16, 400);
    CHECK(traffic.read.base() == 2 * (2 * 50 + 4 * 100) + 8 * 100 + 2 * 1000 + 2 * 30);
    CHECK(traffic.updated.base() == 2 * 1000 + 2 * 10);
    CHECK(traffic.appended.base() == 2 * 2 + 8 / 4);  // not what another layer keeps
    CHECK(traffic.charged() == traffic.read + traffic.updated);
  }

  TEST_CASE("bytes a sequence keeps: all it may select from, its own walks alone, one state") {
    const CoreKept kept = core_kept(mixed(), Dtype::bf16, 400);
    CHECK(kept.cache.base() == 2 * 2 * 400 + 8 * 100);
    CHECK(kept.state.base() == 2 * 1000 + 2 * 30);
    CHECK(kept.total() == kept.cache + kept.state);
  }

  TEST_CASE("what keeps a state says so in its keys, for every attention of every model") {
    for (const ModelSpec& model : load_models({"all"})) {
      for (const AttentionSpec& attention : model.attentions) {
        CAPTURE(model.name + " " + attention.name);
        const AttentionCount count =
            count_attention(attention.shape, model.hidden, Convention::exact);
        CHECK(is_recurrent(attention.shape) == (count.core.state.elements > 0));
        CHECK(is_recurrent(attention.shape) == count.core.walks().empty());
      }
    }
  }

  TEST_CASE("--kv-dtype leaves a recurrent state as it is, stated or not") {
    ModelSpec model = load_models({"qwen3-next-80b-a3b"}).front();
    for (AttentionSpec& attention : model.attentions) attention.cache.reset();
    model.precision.kv = Dtype::fp32;
    const ModelSpec narrow = with_formats(model, {.kv = Dtype::fp8});
    for (const AttentionSpec& attention : narrow.attentions) {
      const bool state = is_recurrent(attention.shape);
      CHECK(cache_format(narrow, attention) == (state ? Dtype::fp32 : Dtype::fp8));
    }
  }
}
