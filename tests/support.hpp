#pragma once
// What the tests share: running the binary, small spec files, printed precision.

#include <string>
#include <string_view>
#include <vector>

#include "kernels/op.hpp"
#include "spec/hardware.hpp"
#include "spec/model.hpp"

namespace afford::test {

struct Outcome {
  int code = -1;
  std::string out, err;
};

/// Runs the built binary through the shell: `arguments` is a piece of command line, `environment`
/// may set variables for it ("PATH=/nowhere").
[[nodiscard]] Outcome run_afford(const std::string& arguments, const std::string& environment = "");

/// A fresh folder, removed at the end of the test.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  /// Writes a file into it; its path.
  std::string file(const std::string& name, std::string_view content) const;
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] size_t entries() const;

 private:
  std::string folder_;
};

[[nodiscard]] std::string read_file(const std::string& path);

/// A small valid model and chip, to be broken by the error tests.
extern const std::string_view model_yaml, hardware_yaml;

/// `text` with the one occurrence of `from` replaced.
[[nodiscard]] std::string replaced(std::string_view text, std::string_view from,
                                   std::string_view to);

[[nodiscard]] ModelSpec parse_model(std::string_view text);
[[nodiscard]] HardwareSpec parse_hardware(std::string_view text);

/// The message of the InputError that reading gives, or "no error".
[[nodiscard]] std::string model_error(std::string_view text);
[[nodiscard]] std::string hardware_error(std::string_view text);

/// The operation of this name; it must be there.
[[nodiscard]] Op operation(const OpList& ops, std::string_view name);

/// The rows of a CSV without quotes, header included.
[[nodiscard]] std::vector<std::vector<std::string>> parse_csv(const std::string& text);

/// Rounds as the report prints: 3 significant digits, or `decimals` places.
[[nodiscard]] std::string printed_scientific(double value);
[[nodiscard]] std::string printed_fixed(double value, int decimals);

}  // namespace afford::test
