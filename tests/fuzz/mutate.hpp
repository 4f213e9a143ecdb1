#pragma once
// Inputs near those of a corpus, without a compiler's help: what a fuzzer would try first.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace afford::fuzz {

/// An endless sequence of mutants of `corpus`, which must not be empty; the same for the same seed,
/// on every machine.
class Mutator {
 public:
  Mutator(std::vector<std::string> corpus, std::uint32_t seed);
  [[nodiscard]] std::string next();

 private:
  [[nodiscard]] size_t below(size_t count);
  void change(std::string& text);

  std::vector<std::string> corpus_;
  std::mt19937 random_;
};

}  // namespace afford::fuzz
