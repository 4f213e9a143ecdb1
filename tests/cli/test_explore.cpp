// The page that `afford explore` writes: that of the build, told where to start. What the page does
// is web/test's.
#include <doctest/doctest.h>

#include <filesystem>

#include "support.hpp"

using namespace afford;
using test::run_afford;
using test::TempFolder;

namespace {

/// The shipped data beside a page of one line.
class DataWithPage {
 public:
  explicit DataWithPage(std::string_view page = "<template><!--START--></template>\n") {
    for (const char* kind : {"models", "hardware", "engines"})
      std::filesystem::create_directory_symlink(std::string(AFFORD_SOURCE) + "/" + kind,
                                                folder_.path(kind));
    folder_.file("explore.html", page);
  }
  [[nodiscard]] test::Outcome explore(const std::string& arguments) const {
    return run_afford("explore " + arguments, "AFFORD_DATA=" + folder_.path("."));
  }
  [[nodiscard]] std::string output() const { return folder_.path("page.html"); }
  [[nodiscard]] const TempFolder& folder() const { return folder_; }

 private:
  TempFolder folder_;
};

void refuses(const DataWithPage& data, const std::string& arguments, const std::string& message) {
  CAPTURE(arguments);
  const test::Outcome outcome = data.explore("-o " + data.output() + " " + arguments);
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  CHECK(outcome.err == "afford: " + message + "\n");
  CHECK_FALSE(std::filesystem::exists(data.output()));
}

}  // namespace

TEST_SUITE("cli") {
  TEST_CASE("explore writes the page as it is, or with a command to start from") {
    const DataWithPage data;
    CHECK(data.explore("-o " + data.output()).code == 0);
    CHECK(test::read_file(data.output()) == "<template><!--START--></template>\n");
    const test::Outcome outcome = data.explore(
        "-o " + data.output() + " cost -m step-3 --on h800 --set h800.price='1 USD/h'");
    CHECK(outcome.code == 0);
    CHECK(outcome.out.empty());
    CHECK(test::read_file(data.output()) ==
          "<template><p>cost</p><p>-m</p><p>step-3</p><p>--on</p><p>h800</p><p>--set</p>"
          "<p>h800.price=1 USD/h</p></template>\n");
  }

  TEST_CASE("files that the command of a page names go along, as text") {
    const DataWithPage data;
    const std::string own = data.folder().file("a<b.csv", "expert,tokens\n0,<&>\n");
    data.folder().file("own.yaml", test::hardware_yaml);
    CHECK(data.explore("-o " + data.output() + " show " + data.folder().path("own.yaml")).code ==
          0);
    CHECK(test::read_file(data.output()).find("own.yaml\">\nschema: 1") != std::string::npos);
    const test::Outcome outcome = data.explore("-o " + data.output() + " check '" + own + "'");
    CHECK(outcome.code == 2);  // no table of points, so nothing to start from
  }

  TEST_CASE("what is wrong with a page's command is said before it is written") {
    const DataWithPage data;
    refuses(data, "parto", "no verb 'parto'; did you mean 'pareto'?");
    refuses(data, "cost -m step-33",
            "no model named 'step-33' in " + data.folder().path(".") +
                "/models; did you mean 'step-3'?");
    refuses(data, "cost --plot a.svg",
            "explore: --plot of afford cost writes a file, which a page does not");
    refuses(data, "cost -oa.csv",
            "explore: -o of afford cost writes a file, which a page does not");
    refuses(data, "explore", "explore: expected another verb to start from");
    refuses(data, "--opt cost",
            "afford explore has no option '--opt'; expected one of --help, --output");
  }

  TEST_CASE("explore says what it lacks") {
    const DataWithPage data;
    CHECK(data.explore("").err == "afford: afford explore: expected -o FILE.html\n");
    const std::string chip = data.folder().file("own.yaml", test::hardware_yaml);
    CHECK(data.explore("-o " + chip + " show " + chip).err ==
          "afford: --output would write over " + chip + ", which this command reads\n");
    const DataWithPage foreign("<html></html>");
    refuses(foreign, "cost", foreign.folder().path("./explore.html") + " is no page of afford");
  }
}
