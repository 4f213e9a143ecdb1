// Signals at random moments, from a fixed seed. AFFORD_KILLS sets how many; by default one for each
// writer, with AFFORD_FAULTS=all a thousand.
#include <doctest/doctest.h>

#include <cstdlib>
#include <random>

#include "faults.hpp"

using namespace afford::test;

namespace {

/// What an interrupted search keeps is right as far as it goes, and says that it is not all.
bool says_partial(const std::string& text) { return text.find(",partial,") != std::string::npos; }

}  // namespace

TEST_SUITE("faults") {
  TEST_CASE("a signal at any moment leaves the old file or a whole one, and nothing beside it") {
    const char* wanted = std::getenv("AFFORD_KILLS");
    const int each_once = static_cast<int>(writers().size());
    const int kills = wanted != nullptr ? std::atoi(wanted) : thorough() ? 1000 : each_once;
    const Workplace place;
    std::vector<Ended> undisturbed;
    std::vector<std::string> whole;
    for (const Writer& writer : writers()) {
      place.reset(writer.output);
      undisturbed.push_back(run(writer, place));
      CAPTURE(writer.name);
      CAPTURE(undisturbed.back().err);
      REQUIRE(undisturbed.back().code == 0);
      whole.push_back(place.read(writer.output));
      CHECK(place.strays(writer.output).empty());
    }
    std::mt19937 random(13);
    for (int i = 0; i < kills; ++i) {
      const size_t which = static_cast<size_t>(i) % writers().size();
      const Writer& writer = writers()[which];
      constexpr int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGKILL};
      const Disturbance disturbance{
          .environment = {},
          .signal = signals[random() % 4],
          .after = undisturbed[which].took * std::uniform_real_distribution<>(0, 1.1)(random)};
      place.reset(writer.output);
      const Ended ended = run(writer, place, disturbance);
      const std::string left = place.read(writer.output);
      CAPTURE(writer.name);
      CAPTURE(disturbance.signal);
      CAPTURE(ended.code);
      const std::string left_start = left.substr(0, 200);
      CAPTURE(left_start);
      const bool is_old = left == old_content, is_whole = left == whole[which];
      CHECK((is_old || is_whole || says_partial(left)));
      if (ended.code == 0) CHECK(is_whole);
      CHECK(place.strays(writer.output).empty());
    }
  }

  TEST_CASE("a search that is interrupted before it has found a point says so in its file") {
    const Workplace place;
    const Writer& search = writer_named("pareto");
    place.reset(search.output);
    const Ended whole = run(search, place);
    REQUIRE(whole.code == 0);
    for (const double share : {0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9}) {
      place.reset(search.output);
      const Ended ended =
          run(search, place, {.environment = {}, .signal = SIGINT, .after = share * whole.took});
      const std::string left = place.read(search.output);
      CAPTURE(share);
      CAPTURE(left);
      if (ended.code == 130) CHECK((left == old_content || says_partial(left)));
    }
  }
}
