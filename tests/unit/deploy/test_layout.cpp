// The notation of co-located layouts, and what travels inside an engine of each.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "deploy/layout.hpp"
#include "error.hpp"
#include "load/library.hpp"
#include "search/layouts.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("layouts are read in the field's letters and printed back") {
    const auto is = [](std::string_view text, const Layout& layout, std::string_view name) {
      CHECK_MESSAGE(parse_layout(text) == layout, text);
      CHECK(name_of(layout) == name);
      CHECK(parse_layout(name) == layout);
    };
    is("tp8", {8, 8, 1}, "TP8");
    is("ep32", {1, 1, 32}, "EP32");
    is("dp32+ep32", {1, 1, 32}, "EP32");
    is("tp8+tp8", {8, 8, 1}, "TP8");
    is("tp8+ep8", {8, 1, 8}, "TP8+EP8");
    is("tp8+ep16", {8, 1, 16}, "TP8DP2+EP16");
    is("dp8+ep64", {8, 1, 64}, "TP8DP8+EP64");
    is("dp8+tp8", {1, 8, 1}, "DP8+TP8");
    is("tp2dp4+tp4ep2", {2, 4, 2}, "TP2DP4+TP4EP2");
    is("TP2DP4+EP8", {2, 1, 8}, "TP2DP4+EP8");
    is("tp1", {1, 1, 1}, "EP1");
    is("tp8,pp3", {8, 8, 1, 3}, "TP8,PP3");
    is("tp8+ep16,PP2", {8, 1, 16, 2}, "TP8DP2+EP16,PP2");
    is("ep8,pp1", {1, 1, 8}, "EP8");
    is("tp8,cp8", {8, 8, 1, 1, 8}, "TP8,CP8");
    is("tp8+ep16,cp4,pp2", {8, 1, 16, 2, 4}, "TP8DP2+EP16,CP4,PP2");
    is("tp8,pp2,cp4", {8, 8, 1, 2, 4}, "TP8,CP4,PP2");
  }

  TEST_CASE("what is no layout is refused with the forms there are") {
    const std::string expected =
        "parallelism: expected ATTENTION+EXPERTS such as tp8, ep32, tp8+ep8, dp8+tp8 or "
        "tp2dp4+ep8, with ,cpN behind for a cache split by tokens and ,ppN for pipeline stages, "
        "got '";
    for (const std::string text : {"",           "8",          "tp",
                                   "tp0",        "dp8",        "tp8ep8",
                                   "tp8tp2+ep8", "ep8+tp8",    "tp8+",
                                   "+ep8",       "tp8+dp8",    "tp8+ep8+pp2",
                                   "tp-1",       "pp2",        "tp8,",
                                   "tp8,tp2",    ",pp2",       "tp8,pp2,pp2",
                                   "tp8,pp2tp2", "tp8pp2+ep8", "tp99999999999999999999",
                                   "cp8",        "tp8cp8",     "tp8,cp2pp2",
                                   "tp8,cp2,cp2"}) {
      CHECK_THROWS_WITH_AS((void)parse_layout(text), (expected + text + "'").c_str(), ValueError);
    }
    CHECK_THROWS_WITH_AS((void)parse_layout("tp2dp2+ep8"),
                         "parallelism: 'tp2dp2+ep8' has attention on 4 accelerators and experts on "
                         "8",
                         ValueError);
    CHECK_THROWS_WITH_AS(
        (void)parse_layout("tp16+ep8"),
        "parallelism: 'tp16+ep8' has attention on 16 accelerators and experts on 8", ValueError);
  }

  TEST_CASE("a layout splits what the model has") {
    const std::vector<ModelSpec> models = load_models({"deepseek-v3", "qwen3-moe", "phi-4"});
    const auto says = [&](size_t model, std::string_view text, std::int64_t redundant = 0) {
      return objection(parse_layout(text), models[model], redundant).value_or("");
    };
    CHECK(says(0, "tp16") == "");
    CHECK(says(0, "tp3") == "tp3 does not divide the 128 attention heads of deepseek-v3");
    CHECK(says(1, "tp8") == "");  // 4 KV heads, each twice
    CHECK(says(2, "tp8") == "tp8 does not divide the 10 KV heads of phi-4");
    CHECK(says(0, "tp8,cp8") == "");
    CHECK(says(1, "tp8,cp2") == "");
    CHECK(says(1, "tp8,cp4") ==
          "cp4 exceeds the copies of a cache: tp8 over the 4 KV heads of qwen3-moe");
    CHECK(says(0, "ep256") == "");
    CHECK(says(0, "ep320") == "EP320 exceeds the 256 experts of deepseek-v3");
    CHECK(says(0, "ep320", 32) == "EP320 exceeds the 256 experts of deepseek-v3 and 32 copies");
    CHECK(says(0, "ep320", 64) == "");
    CHECK(says(0, "tp1,pp62") == "EP1,PP62 has more stages than deepseek-v3 has layers (61)");
  }

  TEST_CASE("layouts worth trying: each sound, each once, those that people run among them") {
    const std::vector<ModelSpec> models = load_models({"deepseek-v3", "qwen3-32b"});
    const HardwareSpec chip = load_hardware({"h200"}).front();
    const Pool pool{&chip, 2, 8};
    std::set<std::string> names;
    for (const Layout& layout : layouts_of(pool, models[0])) {
      CHECK(layout.engine() == 16);
      CHECK(names.insert(name_of(layout)).second);
    }
    for (const std::string name :
         {"EP16", "TP16", "TP8DP2+EP16", "TP8DP2+TP8EP2", "DP16+TP16", "TP8,PP2", "EP8,PP2",
          "TP4DP4+EP16", "TP16+EP16", "TP8,CP8,PP2", "TP16,CP16", "TP8DP2+EP16,CP4"})
      CHECK_MESSAGE(names.contains(name), name);
    for (const Layout& layout : layouts_of(pool, models[1]))
      CHECK(layout == Layout{layout.size(), layout.size(), 1, layout.pp, layout.cp});
    // Its 8 KV heads are there twice under TP16, so two accelerators may share the tokens.
    const auto split = layouts_of(pool, models[1]);
    CHECK(std::count_if(split.begin(), split.end(), [](const Layout& l) { return l.cp > 1; }) == 1);
  }

  TEST_CASE("a layout divides its pool, its servers and itself") {
    const HardwareSpec chip = load_hardware({"h200"}).front();
    const Pool pool{&chip, 3, 8};
    CHECK_NOTHROW(check_layout(parse_layout("tp8"), pool));
    CHECK_NOTHROW(check_layout(parse_layout("tp24"), pool));
    CHECK_NOTHROW(check_layout(parse_layout("tp4+ep24"), pool));
    CHECK_THROWS_WITH_AS(
        check_layout(parse_layout("tp8+ep16"), pool),
        "parallelism: TP8DP2+EP16 takes 16 accelerators, which do not divide the 24 of the pool",
        ValueError);
    CHECK_NOTHROW(check_layout(parse_layout("tp8,pp3"), pool));
    CHECK_THROWS_WITH_AS(
        check_layout(parse_layout("tp8,pp2"), pool),
        "parallelism: TP8,PP2 takes 16 accelerators, which do not divide the 24 of the pool",
        ValueError);
    CHECK_THROWS_WITH_AS(check_layout(parse_layout("tp12"), pool),
                         "parallelism: tp12 neither divides an instance of 8 nor fills whole ones",
                         ValueError);
    CHECK_THROWS_WITH_AS(
        check_layout({2, 3, 8}, pool),
        "parallelism: of attention's tp2 and the experts' tp3 one must divide the other",
        ValueError);
  }

  TEST_CASE("what travels: results, gathered tokens, or each token to its experts") {
    const auto of = [](std::string_view text, bool routed) {
      return ffn_traffic(parse_layout(text), routed);
    };
    CHECK(of("tp1", true) == FfnTraffic::none);
    CHECK(of("tp8", true) == FfnTraffic::all_reduce);
    CHECK(of("tp8+ep8", true) == FfnTraffic::all_reduce);
    CHECK(of("dp8+tp8", true) == FfnTraffic::gather);
    CHECK(of("ep8", true) == FfnTraffic::exchange);
    CHECK(of("tp8+ep16", true) == FfnTraffic::exchange);
    CHECK(of("ep8", false) == FfnTraffic::none);  // dense layers follow the attention
    CHECK(of("tp8+ep16", false) == FfnTraffic::all_reduce);
    CHECK(of("dp8+tp8", false) == FfnTraffic::gather);
  }
}
