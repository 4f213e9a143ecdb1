#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "support.hpp"

using namespace afford;
using test::run_afford;

namespace {

const std::string small = "pareto -m step-3 --on h800,h20 -c 8k --max-gpus 32 ";

void pareto_refuses(const std::string& arguments, const std::string& message) {
  CAPTURE(arguments);
  const test::Outcome outcome = run_afford(arguments);
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  CHECK(outcome.err == message + "\n");
}

nlohmann::json rows(const std::string& arguments) {
  return nlohmann::json::parse(run_afford(arguments + " --format json").out);
}

}  // namespace

TEST_SUITE("cli") {
  TEST_CASE("pareto: the contract's columns; a point simulates to the same numbers") {
    const std::string csv = run_afford(small + "--format csv").out;
    CHECK(csv.starts_with(
        "model,context_tokens,tpot_ms,tokens_per_gpu_s,usd_per_mtok,deployment,attention_hardware,"
        "attention_gpus,ffn_hardware,ffn_gpus,ffn_parallelism,batch,micro_batches,bound,"));
    const auto frontier = rows("pareto -m qwen3-30b-a3b --on h800,h20 -c 8k --max-gpus 32");
    REQUIRE(frontier.size() > 10);
    for (const auto& point : frontier) {
      const std::string command = point["simulate"];
      const auto again = rows(command.substr(command.find(' ') + 1))[0];
      CHECK(again["tpot_ms"].get<double>() ==
            doctest::Approx(point["tpot_ms"].get<double>()).epsilon(1e-9));
      CHECK(again["usd_per_mtok"].get<double>() ==
            doctest::Approx(point["usd_per_mtok"].get<double>()).epsilon(1e-9));
    }
  }

  // Formats follow an engine that is named, and only then. Events move a TPOT by a few thousandths.
  TEST_CASE("pareto: a point of a named engine simulates to the same numbers, formats included") {
    const auto frontier =
        rows("pareto -m step-3 --on h800 -c 8k --max-gpus 32 --ways afd --engine step");
    REQUIRE(frontier.size() > 4);
    for (size_t i = 0; i < frontier.size(); i += 4) {
      const std::string command = frontier[i]["simulate"];
      CHECK(command.ends_with(" --engine step"));
      CHECK(rows(command.substr(command.find(' ') + 1))[0]["tpot_ms"].get<double>() ==
            doctest::Approx(frontier[i]["tpot_ms"].get<double>()).epsilon(0.003));
    }
  }

  TEST_CASE("pareto: one winner, the best within the limit") {
    int winners = 0;
    double best = 0;
    for (const auto& point : rows(small)) {
      CHECK(point["tpot_ms"].get<double>() <= 50);
      const double tokens = point["tokens_per_gpu_s"];
      best = std::max(best, tokens);
      if (point["winner"] != "yes") continue;
      ++winners;
      CHECK(tokens == best);
    }
    CHECK(winners == 1);
  }

  TEST_CASE("pareto: all candidates and their frontier") {
    const auto all = test::parse_csv(
        run_afford(small + "--calibration none --all --batch-steps 1 --format csv").out);
    const auto frontier =
        test::parse_csv(run_afford(small + "--calibration none --batch-steps 1 --format csv").out);
    CHECK(all.size() > 20 * frontier.size());
    CHECK(all[0] == frontier[0]);
    CHECK(all[1].size() == all[0].size());
    pareto_refuses(small + "--all", "afford: --all goes with --format csv");
  }

  TEST_CASE("pareto: shards merge to the single run, byte for byte") {
    test::TempFolder folder;
    const std::string search =
        "pareto -m step-3,qwen3-moe --on h800,h20 -c 4k,8k --max-gpus 32 --objective both --format "
        "csv ";
    std::string files;
    for (const char* part : {"2/3", "1/3", "3/3"}) {
      const std::string file = folder.path("part" + std::string(1, part[0]) + ".csv");
      REQUIRE(run_afford(search + "--shard " + part + " -o " + file).code == 0);
      files += file + " ";
    }
    const std::string whole = run_afford(search).out;
    CHECK(run_afford("merge --format csv " + files).out == whole);
    const std::string two = folder.path("part1.csv") + " " + folder.path("part3.csv");
    pareto_refuses("merge " + two, "afford: 2 files for 3 parts; none has a row of 2/3");
    // The column depends on the digits before it.
    const test::Outcome twice =
        run_afford("merge " + folder.path("part1.csv") + " " +
                   folder.file("copy.csv", test::read_file(folder.path("part1.csv"))));
    CHECK(twice.code == 2);
    CHECK(twice.err.starts_with(folder.path("copy.csv") + ":2:"));
    CHECK(
        twice.err.ends_with(": part 1/3 a second time; " + folder.path("part1.csv") + " has it\n"));
  }

  TEST_CASE("merge: parts of a search over a chip without a price") {
    test::TempFolder folder;
    const std::string search =
        "pareto -m qwen3-8b --on h20-141g -c 8k --max-gpus 8 --ways tp,ep --format csv ";
    for (const char* part : {"1", "2"})
      CHECK(run_afford(search + "--shard " + part + "/2 -o " + folder.path(part)).code == 0);
    const test::Outcome merged =
        run_afford("merge " + folder.path("1") + " " + folder.path("2") + " --format csv");
    CHECK(merged.code == 0);
    CHECK(merged.out == run_afford(search).out);
  }

  TEST_CASE("merge: a picture says that a part of it is missing") {
    test::TempFolder folder;
    std::string text =
        run_afford("pareto -m step-3 --on h800 --max-gpus 16 --ways ep --format csv").out;
    const std::string picture = folder.path("out.gp");
    CHECK(run_afford("merge " + folder.file("whole.csv", text) + " --plot " + picture).code == 0);
    CHECK(test::read_file(picture).find("Partial") == std::string::npos);
    for (size_t at = 0; (at = text.find(",1/1,yes,", at)) != std::string::npos; ++at)
      text.replace(at, 9, ",1/1,partial,");
    CHECK(run_afford("merge " + folder.file("part.csv", text) + " --plot " + picture).code == 1);
    CHECK(test::read_file(picture).find("'Partial: a part was interrupted before it had tried "
                                        "every candidate.' at screen") != std::string::npos);
  }

  TEST_CASE("merge: files that are not of a search") {
    test::TempFolder folder;
    const std::string other = folder.file("other.csv", "model,price\nx,1\n");
    pareto_refuses("merge " + other,
                   other + ":1:1: no column 'context_tokens'; expected a CSV of afford pareto");
    const std::string empty = folder.file("empty.csv", "");
    pareto_refuses("merge " + empty, empty + ": empty; expected a CSV of afford pareto");
    const std::string csv = run_afford(small + "--format csv").out;
    const size_t tpot = csv.find("8192,", csv.find('\n')) + 5;
    const std::string bad =
        folder.file("bad.csv", csv.substr(0, tpot) + "nan" + csv.substr(csv.find(',', tpot)));
    pareto_refuses("merge " + bad, bad + ":2:13: tpot_ms: expected a number above zero, got 'nan'");
    const std::string quote = folder.file("quote.csv", csv.substr(0, tpot) + "\"1.2");
    pareto_refuses("merge " + quote, quote + ":2:13: a quote is opened and not closed");
  }

  TEST_CASE("pareto: why not") {
    const test::Outcome there = run_afford(small + "-c 4k --tpot 50ms --why-not 2A2F");
    CHECK(there.out.find("step-3 at 4K: 2A2F") != std::string::npos);
    const test::Outcome slow = run_afford(small + "--why-not 2A2F --tpot 7ms");
    CHECK(slow.out.find("None meets the TPOT; the fastest: 2A2F (") != std::string::npos);
    const test::Outcome out_of_space = run_afford(small + "--why-not 9A9F");
    CHECK(out_of_space.out.find("step-3 at 8K: 9A9F is not in the space searched") !=
          std::string::npos);
    const test::Outcome dominated = run_afford(small + "--why-not TP2");
    CHECK((dominated.out.find("dominated by: ") != std::string::npos ||
           dominated.out.find("None fits the memory") != std::string::npos));
  }

  TEST_CASE("pareto: an impossible limit says what is nearest, and exits 1") {
    const test::Outcome outcome = run_afford(small + "--tpot 1ms");
    CHECK(outcome.code == 1);
    CHECK(outcome.out.find("0 on the frontier. Nearest to 1 ms: ") != std::string::npos);
  }

  TEST_CASE("pareto: sweeps give one tidy table and break-even points") {
    const auto table = test::parse_csv(
        run_afford(small + "--sweep price.h20=0.4,1.2 --objective usd --format csv").out);
    const auto column = std::find(table[0].begin(), table[0].end(), "sweep_price_h20_usd_per_h");
    REQUIRE(column != table[0].end());
    const auto at = static_cast<size_t>(column - table[0].begin());
    CHECK(table[1][at] == "0.4");
    CHECK(table.back()[at] == "1.2");
    CHECK(run_afford(small + "--sweep price.h20=0.2..3.2*2 --objective usd")
              .out.find("up to price.h20 ") != std::string::npos);
  }

  TEST_CASE(
      "pareto: a sweep of an inventory bounds the chip, and says where the cheapest changes") {
    const std::string swept = small + "--objective usd --sweep inventory.h20=0..16+8 ";
    const auto table = test::parse_csv(run_afford(swept + "--format csv").out);
    const auto column = [&](const std::string& name) {
      const auto at = std::find(table[0].begin(), table[0].end(), name);
      REQUIRE(at != table[0].end());
      return static_cast<size_t>(at - table[0].begin());
    };
    const size_t bound = column("sweep_inventory_h20"), on = column("attention_hardware"),
                 gpus = column("attention_gpus");
    std::set<std::string> bounds;
    for (size_t row = 1; row < table.size(); ++row) {
      bounds.insert(table[row][bound]);
      if (table[row][on] == "h20")
        CHECK(std::stoi(table[row][gpus]) <= std::stoi(table[row][bound]));
    }
    CHECK(bounds == std::set<std::string>{"0", "8", "16"});
    CHECK(run_afford(swept).out.find(" up to inventory.h20 ") != std::string::npos);
  }

  TEST_CASE("pareto: bad arguments") {
    pareto_refuses("pareto", "afford: pareto needs -m MODEL");
    pareto_refuses(
        small + "--shard 4/3",
        "afford: --shard: expected I/N such as 3/8, the third of eight parts, got '4/3'");
    pareto_refuses(small + "--objective speed",
                   "afford: --objective: unknown value 'speed'; expected one of tokens, usd, both, "
                   "interactivity");
    pareto_refuses(
        small + "--inventory h100=8",
        "afford: --inventory: 'h100' is not among the chips of this run; did you mean 'h800'?");
    pareto_refuses(small + "--inventory h20",
                   "afford: --inventory: expected CHIP=ACCELERATORS such as h20=64, got 'h20'");
    pareto_refuses("pareto -m step-3 --max-gpus 0",
                   "afford: --max-gpus: expected 1 to 4096, got 0");
    pareto_refuses(
        small + "--sweep tpot",
        "afford: --sweep: expected PARAMETER=VALUES such as tpot=20..100*2ms, got 'tpot'");
    pareto_refuses(small + "--sweep tpot=20ms..5ms*2",
                   "afford: --sweep: range '20ms..5ms*2' does not reach its end");
    pareto_refuses(small + "--sweep tpott=20ms",
                   "afford: --sweep: unknown parameter 'tpott'; did you mean 'tpot'?");
    pareto_refuses(small + "--sweep price=1",
                   "afford: --sweep: a price belongs to a chip, such as price.h800=1..2+0.25");
    pareto_refuses(small + "--stages 5", "afford: --stages: expected 3 or 4, got '5'");
    pareto_refuses(
        small + "--plot picture.jpg",
        run_afford("compare -m step-3 --plot picture.jpg")
            .err.substr(0, run_afford("compare -m step-3 --plot picture.jpg").err.size() - 1));
  }
}
