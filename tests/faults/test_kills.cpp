// Signals at random moments, from a fixed seed. AFFORD_KILLS sets how many; by default one for each
// writer, with AFFORD_FAULTS=all a thousand.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <sstream>

#include "cli/commands.hpp"
#include "faults.hpp"

using namespace afford::test;

namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// What an interrupted search keeps is right as far as it goes, and says that it is not all.
bool says_partial(const std::string& text, const std::string& whole) {
  if (text.find("Partial: interrupted") != std::string::npos) return text.ends_with("</svg>\n\n");
  return text.find(",partial,") != std::string::npos && text.ends_with('\n') &&
         first_line(text) == first_line(whole);
}

bool writes(const Writer& writer, const std::string& verb, const std::string& flags) {
  if (writer.words.front() != verb) return false;
  std::istringstream names(flags);
  for (std::string name; std::getline(names, name, ',');) {
    if (std::find(writer.words.begin(), writer.words.end(), name) != writer.words.end())
      return true;
  }
  return false;
}

}  // namespace

TEST_SUITE("faults") {
  TEST_CASE("every flag that names a file to write is among the writers") {
    int flags = 0;
    for (const afford::cli::VerbDescription& verb : afford::cli::descriptions()) {
      for (const afford::cli::Parameter& parameter : verb.parameters) {
        if (!parameter.written) continue;
        CAPTURE(verb.name);
        CAPTURE(parameter.names);
        CHECK(std::any_of(writers().begin(), writers().end(), [&](const Writer& writer) {
          return writes(writer, verb.name, parameter.names);
        }));
        ++flags;
      }
    }
    CHECK(flags > 20);
  }

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
    int ended_early = 0, kept_old = 0, kept_partial = 0;
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
      const bool is_partial = says_partial(left, whole[which]);
      CHECK((is_old || is_whole || is_partial));
      if (ended.code == 0) CHECK(is_whole);
      // Nobody hears SIGKILL: between the link of a new file and its move over the old one it
      // leaves the new one, whole, under its other name.
      const std::vector<std::string> strays = place.strays(writer.output);
      CHECK(strays.size() <= (disturbance.signal == SIGKILL ? 1 : 0));
      for (const std::string& stray : strays) CHECK(place.read(stray) == whole[which]);
      ended_early += ended.code != 0;
      kept_old += is_old;
      kept_partial += is_partial;
    }
    MESSAGE(kills << " signals over " << writers().size() << " writers: " << ended_early
                  << " ended early, " << kept_old << " kept the old file, " << kept_partial
                  << " a part that says so");
  }

  TEST_CASE("a search that is interrupted before it has found a point says so in its file") {
    const Workplace place;
    const Writer& search = writer_named("pareto");
    place.reset(search.output);
    const Ended whole = run(search, place);
    REQUIRE(whole.code == 0);
    const std::string whole_text = place.read(search.output);
    for (const double share : {0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9}) {
      place.reset(search.output);
      const Ended ended =
          run(search, place, {.environment = {}, .signal = SIGINT, .after = share * whole.took});
      const std::string left = place.read(search.output);
      CAPTURE(share);
      CAPTURE(left);
      if (ended.code == 130) CHECK((left == old_content || says_partial(left, whole_text)));
    }
  }
}
