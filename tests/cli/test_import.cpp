// Checkpoints as they lie on disk, through the binary.
#include <doctest/doctest.h>

#include <filesystem>

#include "support.hpp"

using namespace afford;
using test::run_afford;

namespace {

std::string fixture(const std::string& name) {
  return std::string(AFFORD_SOURCE) + "/tests/import/" + name + ".json";
}

}  // namespace

TEST_SUITE("cli") {
  TEST_CASE("import: several checkpoints go into a folder, all of them or none") {
    const test::TempFolder folder;
    folder.file("out/keep", "");
    const std::string out = folder.path("out");
    const test::Outcome both =
        run_afford("import " + fixture("phi-4") + " " + fixture("gpt2") + " -o " + out);
    CHECK(both.code == 0);
    CHECK(both.out.empty());
    CHECK(std::filesystem::exists(out + "/phi-4.yaml"));
    CHECK(std::filesystem::exists(out + "/gpt2.yaml"));
    CHECK(run_afford("check " + out + "/gpt2.yaml").code == 0);
    const test::Outcome wrong =
        run_afford("import " + fixture("smollm3-3b") + " nowhere.json -o " + out);
    CHECK(wrong.code == 2);
    CHECK_FALSE(std::filesystem::exists(out + "/smollm3-3b.yaml"));
    CHECK(run_afford("import " + fixture("phi-4") + " " + fixture("gpt2")).err ==
          "afford: several checkpoints go into a folder: give -o FOLDER\n");
    CHECK(run_afford("import " + fixture("phi-4") + " " + fixture("phi-4") + " -o " + out).err ==
          "afford: two of the checkpoints are named phi-4; import them one by one with --name\n");
    CHECK(run_afford("import --name x " + fixture("phi-4") + " " + fixture("gpt2") + " -o " + out)
              .err == "afford: --name, --title and published counts are for one checkpoint\n");
  }

  TEST_CASE("import: standard input, a folder, a cached repository, and bytes on disk") {
    const test::TempFolder folder;
    const std::string config = test::read_file(fixture("llama-3.1-8b"));
    const test::Outcome piped =
        run_afford("import - --name x < " + fixture("llama-3.1-8b") + " | grep -c 'name: x'");
    CHECK(piped.out == "1\n");
    folder.file("hub/models--meta--Llama/refs/main", "abc\n");
    folder.file("hub/models--meta--Llama/snapshots/abc/config.json", config);
    folder.file("hub/models--meta--Llama/snapshots/abc/model.safetensors.index.json",
                R"({"metadata": {"total_size": 16060522496}, "weight_map": {}})");
    const std::string home = "HF_HUB_CACHE=" + folder.path("hub");
    const test::Outcome cached = run_afford("import meta/Llama", home);
    CHECK(cached.code == 0);
    CHECK(cached.out.find("name: llama\n") != std::string::npos);
    CHECK(cached.err.find("weights: 16.06 GB counted, 16.06 GB on disk by "
                          "model.safetensors.index.json: 100.0 %") != std::string::npos);
    CHECK(run_afford("cost -m meta/Llama --on h800 -c 8k --format csv", home).code == 0);
    CHECK(run_afford("cost -m " + folder.path("hub/models--meta--Llama/snapshots/abc") +
                     " --on h800 -c 8k --format csv")
              .code == 0);
  }

  TEST_CASE(
      "a model that is read as it was published says what was filled in, and a context "
      "beyond its positions") {
    const test::Outcome notes = run_afford("cost -m " + fixture("gemma-3-4b") + " --on h800 -c 8k");
    CHECK(notes.code == 0);
    const std::string all = notes.out + notes.err;
    CHECK(all.find("gemma-3-4b: num_attention_heads = 8 (the default of gemma3_text)") !=
          std::string::npos);
    const std::string config = test::replaced(test::read_file(fixture("phi-4")), "\"vocab_size\"",
                                              "\"max_position_embeddings\": 16384, \"vocab_size\"");
    const test::TempFolder folder;
    const std::string path = folder.file("phi-4.json", config);
    for (const char* verb : {"cost -c 32k --on h800", "roofline --on h800 -c 32k",
                             "simulate --colocated h800:1x1 --batch-per-gpu 1 -c 32k",
                             "pareto --on h800 --max-gpus 8 -c 32k"}) {
      CAPTURE(std::string(verb));
      const std::string command =
          std::string(verb).insert(std::string(verb).find(' '), " -m " + path);
      const test::Outcome outcome = run_afford(command);
      CHECK((outcome.out + outcome.err)
                .find("phi-4 has positions for 16384 tokens; a context of 32768 is beyond.") !=
            std::string::npos);
    }
  }

  TEST_CASE("kinds of 2026 in every verb: finite numbers, a verdict") {
    for (const char* name : {"nemotron-3-nano", "lfm2-8b-a1b", "gemma-4-26b-a4b", "glm-5.2",
                             "mimo-v2-flash", "gemma-3n-e4b", "falcon-h1-34b"}) {
      CAPTURE(std::string(name));
      const std::string path = fixture(name);
      for (const std::string& command :
           {"cost -m " + path + " --on h800 -c 8k",
            "simulate -m " + path + " --colocated h200:1x8 --batch-per-gpu 4 -c 8k",
            "simulate -m " + path + " --attention h200:1x8 --ffn h200:1x8 --batch 96 -c 8k"}) {
        CAPTURE(command);
        const test::Outcome outcome = run_afford(command + " --format csv");
        CHECK(outcome.code <= 1);
        CHECK(outcome.out.find(",nan") == std::string::npos);
        CHECK(outcome.out.find("inf,") == std::string::npos);
      }
    }
  }
}
