// A program of somebody else's, with afford as a library: the cost of a token, and what a misspelt
// name comes to.

#include <afford/afford.hpp>
#include <cstdio>
#include <string>

int main() {
  const afford::Answer cost = afford::ask({"cost", "-m", "step-3", "--on", "h800", "-c", "8k"});
  if (cost.status != afford::Answer::done || !cost.table || cost.table->rows.size() != 1) {
    std::fputs(cost.said.c_str(), stderr);
    return 1;
  }
  std::fputs(afford::render(*cost.table, afford::Format::csv).c_str(), stdout);
  const afford::Answer misspelt = afford::ask({"cost", "-m", "step-33"});
  const bool told = misspelt.said.find("no model named 'step-33'") != std::string::npos;
  return misspelt.status == afford::Answer::bad_input && told && !misspelt.table ? 0 : 1;
}
