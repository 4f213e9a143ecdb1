#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <stdexcept>

#include "error.hpp"
#include "layer/experts.hpp"
#include "support.hpp"

using namespace afford;

TEST_SUITE("unit") {
  TEST_CASE("uniform routing by hand") {
    // 2048 tokens, 3 of 48 experts, two groups: 128 tokens an expert, every expert busy.
    const ExpertLoad load = expected_load({.experts = 48, .active = 3, .groups = 2}, 2048, {});
    CHECK(load.busiest_expert == doctest::Approx(128));
    CHECK(load.busiest_group == doctest::Approx(3072));
    CHECK(load.active_experts == doctest::Approx(48));
    // One token: exactly the active experts.
    CHECK(expected_load({.experts = 256, .active = 8, .groups = 1}, 1, {}).active_experts ==
          doctest::Approx(8));
    // Experts that do not divide: the fullest group holds one more.
    CHECK(expected_load({.experts = 10, .active = 1, .groups = 4}, 100, {}).busiest_group ==
          doctest::Approx(30));
  }

  TEST_CASE("explicit uniform shares give the closed form") {
    const ExpertLayout layout{.experts = 64, .active = 4, .groups = 8};
    const ExpertLoad closed = expected_load(layout, 100, {}),
                     listed = expected_load(layout, 100, zipf_routing(64, 0));
    CHECK(listed.active_experts == doctest::Approx(closed.active_experts));
    CHECK(listed.busiest_group == doctest::Approx(closed.busiest_group));
    CHECK(listed.busiest_group_active == doctest::Approx(closed.busiest_group_active));
  }

  TEST_CASE("skew loads the busiest more and activates fewer; redundant copies relieve it") {
    const ExpertLayout layout{.experts = 64, .active = 4, .groups = 8};
    ExpertLayout copied = layout;
    copied.redundant = 16;
    const ExpertLoad even = expected_load(layout, 64, {}),
                     skewed = expected_load(layout, 64, zipf_routing(64, 1));
    CHECK(skewed.busiest_expert > even.busiest_expert);
    CHECK(skewed.busiest_group >= even.busiest_group);
    CHECK(skewed.active_experts < even.active_experts);
    CHECK(expected_load(copied, 64, zipf_routing(64, 1)).busiest_expert < skewed.busiest_expert);
  }

  TEST_CASE(
      "sampling agrees with the expectation where noise is small, exceeds it where it is not, and "
      "repeats") {
    const ExpertLayout layout{.experts = 16, .active = 2, .groups = 4};
    const Routing even = zipf_routing(16, 0);
    const double expected = expected_load(layout, 1e6, even).busiest_group;
    CHECK(sampled_busiest_group(layout, 1'000'000, even, 1, 20) ==
          doctest::Approx(expected).epsilon(0.01));
    CHECK(sampled_busiest_group(layout, 20, even, 1, 200) >
          expected_load(layout, 20, even).busiest_group);
    CHECK(sampled_busiest_group(layout, 20, even, 7, 50) ==
          sampled_busiest_group(layout, 20, even, 7, 50));
  }

  TEST_CASE("the busiest group as tokens choose is near what draws give") {
    for (const double exponent : {0.0, 0.6}) {
      const Routing routing = zipf_routing(128, exponent);
      for (const std::int64_t groups : {2, 4, 8, 16}) {
        const ExpertLayout layout{.experts = 128, .active = 8, .groups = groups};
        const Placement placement = place_experts(layout, routing);
        double active = 0;
        for (const std::int64_t tokens : {4, 16, 64, 512}) {
          CAPTURE(exponent);
          CAPTURE(groups);
          CAPTURE(tokens);
          const GroupLoad chosen = chosen_groups(layout, static_cast<double>(tokens), placement);
          CHECK(chosen.busiest_group ==
                doctest::Approx(sampled_busiest_group(layout, tokens, routing, 1, 400))
                    .epsilon(0.07));
          CHECK(chosen.busiest_group_active >= active);
          CHECK(chosen.busiest_group_active <= 128.0 / static_cast<double>(groups));
          active = chosen.busiest_group_active;
        }
      }
    }
    // All experts on one group: nothing to choose between.
    const ExpertLayout whole{.experts = 128, .active = 8, .groups = 1};
    CHECK(chosen_groups(whole, 16, {}).busiest_group == placed_groups(whole, 16, {}).busiest_group);
  }

  TEST_CASE("assignments are conserved for every skew: a token visits `active` experts") {
    for (const std::int64_t active : {1, 2, 8}) {
      double busiest = 0;
      for (const double exponent : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 6.0, 10.0}) {
        for (const std::int64_t redundant : {0, 16}) {
          CAPTURE(active);
          CAPTURE(exponent);
          const ExpertLayout layout{
              .experts = 48, .active = active, .groups = 8, .redundant = redundant};
          const Placement placement = place_experts(layout, zipf_routing(48, exponent));
          double sum = 0;
          for (const auto& group : placement) {
            for (const double share : group) {
              CHECK(share * static_cast<double>(active) <= 1 + 1e-12);
              sum += share;
            }
          }
          if (!placement.empty()) CHECK(sum == doctest::Approx(1).epsilon(1e-12));
          const ExpertLoad load = placed_load(layout, 64, placement);
          CHECK(load.busiest_group >= load.mean_group * (1 - 1e-12));
          if (redundant > 0) continue;
          CHECK(load.busiest_expert >= busiest * (1 - 1e-12));
          busiest = load.busiest_expert;
        }
      }
    }
  }

  TEST_CASE("what is too much for some experts goes to the others in proportion") {
    // Of 2 active, none takes more than a half: 0.7 becomes 0.5, and 0.2 : 0.1 share the rest.
    const std::vector<double> got = assigned_shares({0.7, 0.2, 0.1}, 2);
    CHECK(got[0] == doctest::Approx(0.5));
    CHECK(got[1] == doctest::Approx(1.0 / 3));
    CHECK(got[2] == doctest::Approx(1.0 / 6));
    CHECK(assigned_shares({0.5, 0.3, 0.2}, 2) == std::vector<double>{0.5, 0.3, 0.2});
    CHECK_THROWS_AS((void)place_experts({.experts = 4, .active = 1}, zipf_routing(5, 1)),
                    std::logic_error);
  }

  TEST_CASE("a routing of layers of several numbers of experts is that of each") {
    const Routing both = zipf_routing({16, 64}, 1);
    for (const std::int64_t experts : {16, 64}) {
      const ExpertLayout layout{.experts = experts, .active = 2, .groups = 4};
      CHECK(place_experts(layout, both) == place_experts(layout, zipf_routing(experts, 1)));
    }
    CHECK_THROWS_AS((void)place_experts({.experts = 32, .active = 2}, both), std::logic_error);
  }

  TEST_CASE("measured routing is read strictly") {
    const test::TempFolder folder;
    const auto message_for = [&](const std::string& text, std::int64_t active) {
      const std::string path = folder.file("r.csv", text);
      try {
        (void)read_routing(path, 2, active);
      } catch (const InputError& error) {
        return std::string(error.what()).substr(path.size());
      }
      return std::string("no error");
    };
    const auto message = [&](const std::string& text) { return message_for(text, 1); };
    CHECK(message("expert,tokens\n0,30\n1,10\n") == "no error");
    CHECK(read_routing(folder.path("r.csv"), 2, 1).shares == std::vector<double>{0.75, 0.25});
    CHECK(message("\xEF\xBB\xBF"
                  "expert,tokens\r\n0,30\r\n1,10\r\n") == "no error");
    CHECK(message("a,b\n") == ":1:1: expected the header 'expert,tokens', got 'a,b'");
    CHECK(message("expert,tokens\n2,1\n") == ":2:1: expected an expert from 0 to 1, got '2'");
    CHECK(message("expert,tokens\n0,nan\n") ==
          ":2:3: expected a number of tokens from 0 to 1e+18, got 'nan'");
    CHECK(message("expert,tokens\n0,1,2\n") == ":2:1: expected 2 fields (expert,tokens), got 3");
    CHECK(message("expert,tokens\n0,1\n0,1\n") == ":3:1: expert 0 a second time");
    CHECK(message("expert,tokens\n0,1\n") == ": no line for expert 1 of 2");
    CHECK(message("expert,tokens\n0,0\n1,0\n") == ": expected at least one token, got none");
    CHECK(message("expert,tokens\n0,\x1b[2J\n") ==
          ":2:3: expected text, got the control character \\x1b");
    CHECK(message_for("expert,tokens\n0,3\n1,1\n", 2) ==
          ": expert 0 has 0.75 of the tokens' visits; expected at most 1/2, as each token visits 2 "
          "different experts");
    CHECK_THROWS_WITH((void)read_routing("/dev/zero", 2, 1), "/dev/zero: not a regular file");
  }
}
