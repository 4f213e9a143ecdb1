// One broken file among those that nobody named: the others are served, it is named, and the exit
// status says that there was bad input.
#include <doctest/doctest.h>

#include <filesystem>

#include "support.hpp"

using namespace afford;
using namespace afford::test;

namespace {

namespace fs = std::filesystem;

/// A data folder of one model, two chips, every engine, and what the test adds.
class Data {
 public:
  Data() {
    fs::copy(fs::path(AFFORD_SOURCE) / "engines", folder_.path("engines"));
    for (const char* entry : {"models/step-3.yaml", "hardware/h800.yaml", "hardware/h200.yaml",
                              "hardware/h200.calibration.yaml"}) {
      const fs::path to = folder_.path(entry);
      fs::create_directories(to.parent_path());
      fs::copy_file(fs::path(AFFORD_SOURCE) / entry, to);
    }
    fs::create_directories(folder_.path("validation"));
  }
  [[nodiscard]] std::string put(const std::string& name, std::string_view content) const {
    return folder_.file(name, content);
  }
  [[nodiscard]] Outcome afford(const std::string& arguments) const {
    return run_afford(arguments, "AFFORD_DATA=" + folder_.path(""));
  }

 private:
  TempFolder folder_;
};

constexpr std::string_view broken = "name: [\n";

std::string complaint(const std::string& file) {
  return file + ":2:1: not valid YAML: expected a bracket to end what one begins; left out\n";
}

}  // namespace

TEST_SUITE("errors") {
  TEST_CASE("a broken model is left out of all of them, and said") {
    const Data data;
    const std::string file = data.put("models/broken.yaml", broken);
    for (const char* command :
         {"list models", "list", "cost -m all --on h800 -c 8k", "compare --on h800 -c 8k",
          "roofline -m all --on h800",
          "simulate -m all --colocated h800:1x8 --batch-per-gpu 8 --calibration none",
          "pareto -m all --on h800 --max-gpus 8 --batch-steps 1 --ways ep --calibration none"}) {
      CAPTURE(command);
      const Outcome result = data.afford(command);
      CHECK(result.code == 2);
      CHECK(result.out.find("step-3") != std::string::npos);
      CHECK(result.err == complaint(file));
    }
  }

  TEST_CASE("a broken chip, engine or calibration is left out likewise") {
    const Data data;
    const std::string chip = data.put("hardware/broken.yaml", broken);
    Outcome result = data.afford("compare --on all -c 8k");
    CHECK(result.code == 2);
    CHECK(result.err == complaint(chip));
    fs::remove(chip);
    const std::string engine = data.put("engines/broken.yaml", broken);
    result = data.afford("list engines");
    CHECK(result.code == 2);
    CHECK(result.err == complaint(engine));
    fs::remove(engine);
    const std::string calibration = data.put("hardware/x.calibration.yaml", broken);
    const std::string one = "simulate -m step-3 --colocated h800:1x8 --batch-per-gpu 8";
    result = data.afford(one);
    CHECK(result.code == 2);
    CHECK(result.out.find("EP8") != std::string::npos);
    CHECK(result.err == complaint(calibration));
    CHECK(data.afford(one + " --calibration none").code == 0);
  }

  TEST_CASE("what a run names is not left out") {
    const Data data;
    const std::string file = data.put("models/broken.yaml", broken);
    (void)data.put("hardware/h800.calibration.yaml", broken);
    Outcome result = data.afford("cost -m broken --on h800");
    CHECK(result.code == 2);
    CHECK(result.out.empty());
    CHECK(result.err == file + ":2:1: not valid YAML: expected a bracket to end what one begins\n");
    result = data.afford("simulate -m step-3 --colocated h800:1x8 --batch-per-gpu 8");
    CHECK(result.code == 2);
    CHECK(result.out.empty());
  }

  TEST_CASE("validate wants cases and tables") {
    const Data data;
    const std::string head = "schema: 1\nsources: {}\n";
    const std::string cases = data.put("validation/cases.yaml", head + "systems: {}\ncases: []\n");
    (void)data.put("validation/kernels.yaml", head + "tables: []\n");
    CHECK(data.afford("validate").err == cases + ":4:8: cases: expected at least one case\n");
  }

  TEST_CASE("a name that a file gives is complained of where it stands") {
    const Data data;
    const std::string calibration =
        read_file(std::string(AFFORD_SOURCE) + "/hardware/h200.calibration.yaml");
    const std::string file =
        data.put("other.yaml", replaced(calibration, "chip: h200", "chip: h2"));
    const Outcome result = data.afford(
        "simulate -m step-3 --colocated h200:1x8 --batch-per-gpu 8 --calibration " + file);
    CHECK(result.code == 2);
    CHECK(result.err.find(file + ":") == 0);
    CHECK(result.err.find(":7: no hardware named 'h2' in ") != std::string::npos);
  }

  TEST_CASE("a file that the system does not give is not left out") {
    const Data data;
    const std::string source = AFFORD_SOURCE;
    const std::string engine =
        replaced(read_file(source + "/engines/afford.yaml"), "name: afford\n", "name: mine\n");
    const std::string file =
        data.put("engines/mine.yaml", replaced(engine, "base: ideal", "base: no/base.yaml"));
    (void)data.put("hardware/other.calibration.yaml",
                   replaced(read_file(source + "/hardware/h200.calibration.yaml"), "engine: afford",
                            "engine: mine"));
    const Outcome result = data.afford("simulate -m step-3 --colocated h800:1x8 --batch-per-gpu 8");
    CHECK(result.code == 2);
    CHECK(result.out.empty());
    CHECK(result.err.find(file + ":6:7: no/base.yaml: no such file\n") != std::string::npos);
  }
}
