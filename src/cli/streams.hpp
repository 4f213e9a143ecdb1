#pragma once
// Standard input, output and error, which may be closed, full or broken.

#include <string_view>

namespace afford::cli {

/// From the start of the program: descriptors 0 to 2 lead somewhere, so that no file of ours gets
/// their numbers and is written by mistake; a pipe nobody reads is an error of the write instead
/// of the end of the program.
void secure_streams();

/// Text to standard error. What cannot be said keeps nothing from being done.
void say(std::string_view text) noexcept;

/// Text to standard output. Throws UsageError.
void print(std::string_view text);

}  // namespace afford::cli
