#pragma once
// Standard input, output and error, which may be closed, full or broken.

#include <string_view>

#include "cli/host.hpp"

namespace afford::cli {

/// From the start of the program: descriptors 0 to 2 lead somewhere, so that no file of ours gets
/// their numbers and is written by mistake; a pipe nobody reads is an error of the write instead
/// of the end of the program.
void secure_streams();

/// Text to standard error, or to the host. What cannot be said keeps nothing from being done.
void say(const Host& host, std::string_view text);

/// Text to standard output, or to the host. Throws UsageError.
void print(const Host& host, std::string_view text);

}  // namespace afford::cli
