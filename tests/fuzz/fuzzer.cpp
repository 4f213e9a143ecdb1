// libFuzzer's entry: afford_fuzz --target=NAME corpus/NAME -max_total_time=60
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "fuzz/targets.hpp"

namespace {

// libFuzzer calls two functions that share nothing else.
const afford::fuzz::Target* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view flag = "--target=";
  for (int i = 1; i < *argc; ++i) {
    const std::string_view argument = (*argv)[i];
    if (argument.starts_with(flag)) chosen = afford::fuzz::find(argument.substr(flag.size()));
  }
  if (chosen != nullptr) return 0;
  std::fputs("afford_fuzz needs --target=NAME with one of:", stderr);
  for (const auto& target : afford::fuzz::targets())
    std::fprintf(stderr, " %.*s", static_cast<int>(target.name.size()), target.name.data());
  std::fputs("\n", stderr);
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  chosen->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
