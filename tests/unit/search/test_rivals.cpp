#include <doctest/doctest.h>

#include <random>

#include "search/rivals.hpp"

using namespace afford;

namespace {

/// Many alike, and some equal: few steps of TPOT, prices of few pools.
std::vector<Candidate> drawn(std::mt19937& random) {
  std::vector<Candidate> list(600);
  for (size_t i = 0; i < list.size(); ++i) {
    Candidate& c = list[i];
    c.number = i;
    c.attention.chip = random() % 2;
    c.goals.tpot_ms = 10 + static_cast<double>(random() % 200) / 4;
    c.goals.tokens_per_gpu_s = 100 + static_cast<double>(random() % 100);
    const double work = 1 + 20 / c.goals.tpot_ms + static_cast<double>(random() % 16) / 8;
    c.goals.usd_per_mtok = work * static_cast<double>(2 + random() % 4);
    c.goals.usd_at_other_end = work * static_cast<double>(4 + random() % 7);
  }
  return list;
}

Candidate at_price(Candidate c, double share) {
  c.goals.usd_per_mtok = (1 - share) * c.goals.usd_per_mtok + share * c.goals.usd_at_other_end;
  return c;
}

std::vector<std::uint64_t> frontier_of(const std::vector<Candidate>& list, double share,
                                       Objective objective) {
  Frontier<Candidate> frontier(objective);
  for (const Candidate& c : list) frontier.add(at_price(c, share));
  std::vector<std::uint64_t> numbers;
  for (const Candidate& c : frontier.points()) numbers.push_back(c.number);
  return numbers;
}

std::uint64_t cheapest_of(const std::vector<Candidate>& list, std::uint32_t chip, double share) {
  std::optional<Candidate> best;
  for (const Candidate& each : list) {
    const Candidate c = at_price(each, share);
    if (c.attention.chip == chip && (!best || preferred(c, *best, Objective::cost))) best = c;
  }
  REQUIRE(best.has_value());
  return best->number;
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("rivals: whatever is the best at some price is among them, and few others") {
    std::mt19937 random(3);
    for (const Objective objective : {Objective::cost, Objective::both}) {
      for (int round = 0; round < 5; ++round) {
        const std::vector<Candidate> all = drawn(random);
        Rivals halves[] = {Rivals(objective), Rivals(objective)}, rivals(objective);
        for (const Candidate& c : all) halves[c.number % 2].add(c);
        for (Rivals& half : halves) rivals.add(half);
        rivals.tidy();
        std::vector<Candidate> cheapest;
        rivals.for_each_cheapest([&](const Candidate& c) { cheapest.push_back(c); });
        for (int percent = 0; percent <= 100; percent += 5) {
          const double share = percent / 100.0;
          CHECK(frontier_of(rivals.on_frontier(), share, objective) ==
                frontier_of(all, share, objective));
          for (const std::uint32_t chip : {0U, 1U})
            CHECK(cheapest_of(cheapest, chip, share) == cheapest_of(all, chip, share));
        }
        if (objective == Objective::cost) CHECK(rivals.on_frontier().size() < 60);
        CHECK(cheapest.size() < 60);
      }
    }
  }
}
