#include <doctest/doctest.h>

#include "deploy/prompts.hpp"
#include "load/library.hpp"
#include "search/prompt_forms.hpp"

using namespace afford;

namespace {

/// A model and chips with requests of 4000 tokens in and 500 out.
struct WholeCase {
  ModelSpec model = load_model("step-3");
  std::vector<LayerShape> shapes = layer_shapes(model);
  std::vector<HardwareSpec> chips = load_hardware({"h800", "h20"});
  Space space;
  Setting setting;

  WholeCase() {
    space.chips = &chips;
    setting.model = &model;
    setting.shapes = &shapes;
    setting.context = 4250;
    setting.engine = load_engine("vllm");
    space.requests = WholeRequests{.prompt = 4000, .output = 500, .pools = {}};
    add_pool(1, 1);
  }
  void add_pool(size_t chip, std::int64_t servers) {
    Colocated pool{.pool = {&chips[chip], servers, 8}, .batch = 8 * servers};
    pool.layout = expert_parallel(8 * servers);
    space.requests->pools.push_back(timed(pool, setting, *space.requests));
    space.requests->pools.back().chip = static_cast<std::uint32_t>(chip);
  }
  WholeCase(const WholeCase&) = delete;
  WholeCase& operator=(const WholeCase&) = delete;
};

Candidate pools() {
  Candidate c{.way = Way::disaggregated};
  c.attention = {.chip = 0, .instances = 2, .accelerators = 8};
  c.ffn = {.chip = 0, .instances = 1, .accelerators = 8};
  c.tensor = 1;
  c.expert = 8;
  c.micro_batches = 3;
  c.batch = 1536;
  return c;
}

Candidate one_pool(std::int64_t batch) {
  Candidate c{.way = Way::expert_parallel};
  c.attention = c.ffn = {.chip = 0, .instances = 2, .accelerators = 8};
  c.tensor = 1;
  c.micro_batches = 1;
  c.batch = batch;
  return c;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE(
      "prompts apart: the pools of a deployment's rate count, its money and the first token") {
    const WholeCase w;
    Candidate c = pools();
    const Evaluation decoding = evaluate(c, w.space, w.setting);
    const PromptForms forms(c, w.space, w.setting);
    REQUIRE(forms.size() == 1);  // AFD's pools work off none
    forms.take(c, 0);
    const WholeOutcome whole = forms.of(c, decoding);
    const PrefillPool& pool = w.space.requests->pools[0];
    const double requests = 24 * decoding.tokens_per_gpu.base() / 500;
    CHECK(whole.prompt_gpus == doctest::Approx(requests * pool.time.base() * 8));
    CHECK(whole.tokens_per_gpu.base() ==
          doctest::Approx(500 * requests / (24 + whole.prompt_gpus)));
    CHECK(whole.tpot == decoding.tpot);
    // The bill of all accelerators a second by the tokens they make.
    const double bill =
        24 * w.chips[0].price.value.base() + whole.prompt_gpus * w.chips[1].price.value.base();
    CHECK(whole.cost.base() == doctest::Approx(bill / (500 * requests)));
    CHECK(whole.prompt_cost.base() ==
          doctest::Approx(8 * w.chips[1].price.value.base() * pool.time.base() / 500));
    const double steps = w.setting.engine.time.prompts.first_token;
    REQUIRE(steps > 0);
    CHECK(whole.ttft.base() ==
          doctest::Approx((pool.time + pool.sending + steps * decoding.step).base()));
  }

  TEST_CASE("a prompt on a pool: its kernels behind what is cached, launches, host, the NICs") {
    WholeCase w;
    w.space.requests->hit_rate = 0.25;
    w.add_pool(0, 2);
    const PrefillPool& pool = w.space.requests->pools.back();
    const PromptLoad load{
        .prompt = 3000, .cached = 1000, .gpus = 16, .tensor = 1, .expert_groups = 16};
    const Seconds kernels = prompt_time(w.setting, w.chips[0], load);
    CHECK((pool.time - kernels - prompt_launches(w.setting)).base() ==
          doctest::Approx(evaluate(pool.pool, w.setting).between.base()));
    Setting sent = w.setting;
    sent.context = 4000;  // cached or not, all of it goes over
    CHECK(pool.sending == cache_sending(w.chips[0], 16, sent));
  }

  TEST_CASE("prompts beside tokens: those of others slow a token, a request's own takes time too") {
    const WholeCase w;
    Candidate c = one_pool(16);
    const Evaluation decoding = evaluate(c, w.space, w.setting);
    const PromptForms forms(c, w.space, w.setting);
    REQUIRE(forms.size() == 2);
    forms.take(c, 1);
    CHECK(c.prompts == Prompts::beside_tokens);
    const WholeOutcome whole = forms.of(c, decoding);
    const PromptLoad load{
        .requests = 256, .prompt = 4000, .output = 500, .gpus = 16, .expert_groups = 16};
    const Seconds prompt = prompt_time(w.setting, w.chips[0], load);
    const Seconds launches = prompt_launches(w.setting);
    CHECK(whole.tpot.base() ==
          doctest::Approx((decoding.step + interruption(255.0 / 500, prompt, launches)).base()));
    const Seconds turn = decoding.step + interruption(256.0 / 500, prompt, launches);
    CHECK(whole.tokens_per_gpu.base() == doctest::Approx(256 / turn.base() / 16));
    CHECK((whole.cost * (256 / turn) * token).base() ==
          doctest::Approx(16 * w.chips[0].price.value.base()));
    CHECK((whole.prompt_cost / whole.cost) == doctest::Approx(1 - decoding.step / turn));
    CHECK(whole.ttft == around_prompt(w.setting, decoding.step) + prompt);
    CHECK(whole.prompt_gpus == 0);
  }

  TEST_CASE("drafts bring prompts in more often; limits on both times make a candidate slow") {
    WholeCase w;
    Candidate c = one_pool(16);
    c.prompts = Prompts::beside_tokens;
    const WholeOutcome plain = whole_outcome(c, w.space, w.setting);
    CHECK(plain.verdict == Verdict::feasible);
    w.space.requests->ttft_limit = 1.01 * plain.ttft;
    CHECK(whole_outcome(c, w.space, w.setting).verdict == Verdict::feasible);
    w.space.requests->ttft_limit = 0.99 * plain.ttft;
    CHECK(whole_outcome(c, w.space, w.setting).verdict == Verdict::slow);
    w.space.requests->ttft_limit.reset();
    const Seconds decoding = evaluate(c, w.space, w.setting).tpot;
    REQUIRE(decoding < plain.tpot);
    w.setting.tpot_limit = 0.5 * (decoding + plain.tpot);
    CHECK(whole_outcome(c, w.space, w.setting).verdict == Verdict::slow);
    w.setting.speculation = {.drafts = 1, .acceptance = 1};
    const Evaluation drafted = evaluate(c, w.space, w.setting);
    const WholeOutcome faster = whole_outcome(c, w.space, w.setting);
    CHECK((faster.step - drafted.step) / (plain.step - decoding) ==
          doctest::Approx(2).epsilon(0.1));
  }

  TEST_CASE("a batch that has no room has none with prompts") {
    const WholeCase w;
    Candidate c = one_pool(60'000);
    REQUIRE(evaluate(c, w.space, w.setting).verdict == Verdict::attention_memory);
    c.prompts = Prompts::beside_tokens;
    CHECK(whole_outcome(c, w.space, w.setting).verdict == Verdict::attention_memory);
  }
}
