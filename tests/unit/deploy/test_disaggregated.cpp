// Two pools: the network between them, and what each must hold.
#include <doctest/doctest.h>

#include "deploy/pool_pair.hpp"
#include "load/library.hpp"
#include "support.hpp"

using namespace afford;
using doctest::Approx;
using test::operation;

namespace {

struct PoolsFixture {
  ModelSpec model = load_models({"step-3"}).front();
  std::vector<LayerShape> shapes = layer_shapes(model);
  HardwareSpec fast = load_hardware({"h800"}).front(), slow = fast;
  Setting setting{.model = &model, .shapes = &shapes, .context = 4096};
  PoolsFixture() { slow.nic_bandwidth.value = 0.25 * fast.nic_bandwidth.value; }

  [[nodiscard]] Disaggregated pools(const HardwareSpec& attention, const HardwareSpec& ffn) const {
    Disaggregated d{
        .attention = {&attention, 2, 8}, .ffn = {&ffn, 2, 8}, .batch = 6144, .micro_batches = 3};
    d.ffn_split = {8, 2};
    return d;
  }
};

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("network: the slower end sets the time, each way, at all NICs of its instance") {
    const PoolsFixture f;
    // 2048 tokens a micro-batch: a server of either side exchanges 1024 with each of two others.
    const double tokens = 2048, out = 7168 + 56 * 4 + 3 * 8, back = 2 * 7168;
    const auto time = [&](double bytes, const HardwareSpec& chip) {
      return tokens * bytes / (f.setting.engine.nic * server_network(chip).base()) +
             f.setting.engine.time.transfers.latency / second;
    };
    for (const auto& [attention, ffn] :
         {std::pair(&f.fast, &f.slow), std::pair(&f.slow, &f.fast)}) {
      const StageTimes stages = evaluate(f.pools(*attention, *ffn), f.setting).runs[1].stages;
      CHECK(stages.a2f / second == Approx(time(out, f.slow)));
      CHECK(stages.f2a / second == Approx(time(back, f.slow)));
    }
    const StageTimes stages = evaluate(f.pools(f.fast, f.fast), f.setting).runs[1].stages;
    CHECK(stages.a2f / second == Approx(time(out, f.fast)));
  }

  TEST_CASE("network: more attention instances share its side, and the other end binds") {
    const PoolsFixture f;
    Disaggregated d = f.pools(f.fast, f.fast);
    d.attention.instances = 4;  // half the tokens each; the FFN servers still take in all
    const StageTimes stages = evaluate(d, f.setting).runs[1].stages;
    CHECK(stages.a2f == evaluate(f.pools(f.fast, f.fast), f.setting).runs[1].stages.a2f);
  }

  TEST_CASE("the cache of a micro-batch spreads over all accelerators, under TP over instances") {
    const PoolsFixture f;
    Disaggregated d = f.pools(f.fast, f.fast);
    const double request = 512.0 * 4096 * 61;
    // Three micro-batches of 2048 requests on 16 accelerators.
    CHECK(evaluate(d, f.setting).attention_memory.cache.base() == 3 * 128 * request);
    d.attention.instances = 4;
    CHECK(evaluate(d, f.setting).attention_memory.cache.base() == 3 * 64 * request);
    d.attention_split = AttentionSplit::tensor;  // one KV head: held by each of the eight
    CHECK(evaluate(d, f.setting).attention_memory.cache.base() == 3 * 512 * request);
    CHECK(operation(stage_ops(d, f.setting, 1).attention, "core attention").cache.base() ==
          512 * 512.0 * 4096);
  }

  TEST_CASE("buffers: residual, FP8 out, a BF16 partial result of each FFN instance back") {
    const PoolsFixture f;
    Disaggregated d = f.pools(f.fast, f.fast);
    const double hidden = 7168, vocab = real(f.model.vocab);
    const auto attention = [&](double instances) {
      return 128 * (3 * hidden * (2 + 1 + 2 * instances) + 2 * 64 * 256 * 2 + 4 * vocab);
    };
    CHECK(evaluate(d, f.setting).attention_memory.buffers.base() == attention(2));
    d.ffn.instances = 4;
    d.ffn_split = {8, 4};
    CHECK(evaluate(d, f.setting).attention_memory.buffers.base() == attention(4));
    // FFN side: FP8 in and BF16 out of three micro-batches; rows of 3 experts on four groups and
    // of the shared one, in, out, and gate, up and their product.
    const double rows = (3 + 1) / 4.0 * (3 * hidden + 3 * 2 * 5120 / 8.0);
    const double dense = 1 / 4.0 * (3 * hidden + 3 * 2 * 18432 / 8.0);
    CHECK(evaluate(d, f.setting).ffn_memory.buffers.base() ==
          Approx(2048 * (3 * 3 * hidden + std::max(rows, dense))));
  }

  TEST_CASE("two pools at one batch after another say what they say at each alone") {
    const PoolsFixture f;
    for (const Boundary boundary : {Boundary::attention, Boundary::core}) {
      Disaggregated d = f.pools(f.fast, f.slow);
      d.boundary = boundary;
      PoolPair pair(d, f.setting, held_part(d, f.setting));
      for (const int micro_batches : {2, 4}) {
        pair.keep_in_flight(micro_batches);
        d.micro_batches = micro_batches;
        for (const std::int64_t batch : {6144, 4, 100}) {
          d.batch = batch;
          const Evaluation kept = pair.at(batch), anew = evaluate(d, f.setting);
          CHECK(kept.step == anew.step);
          CHECK(kept.head == anew.head);
          CHECK(kept.attention_memory.total() == anew.attention_memory.total());
          CHECK(kept.ffn_memory.total() == anew.ffn_memory.total());
          CHECK(kept.largest_batch == anew.largest_batch);
          CHECK(kept.verdict == anew.verdict);
        }
      }
    }
  }
}
