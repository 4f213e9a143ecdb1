#pragma once
// One case: its kernel checked, then timed.

#include "cases.hpp"
#include "session.hpp"

namespace afford::calibrate {

/// How long to measure: seconds of samples, and how often at most until they are steady.
struct Pace {
  double seconds = 0.2;
  int windows = 3;
};

/// Checks and times it; what fails a gate has the reason in `rejected`. `roof`: bytes a second of
/// the fastest read so far, or zero. Throws CudaError when the GPU no longer answers.
[[nodiscard]] Point measure(const Case& one, const Session& session, const Pace& pace, double roof);

/// Only checks it: `rejected` says what is wrong.
[[nodiscard]] Point verify(const Case& one, const Session& session);

/// How long measure() is expected to take, in seconds: the weight of a case in the progress.
[[nodiscard]] double expected_seconds(const Case& one, double seconds);

/// Heats the GPU with tensor-core work until its pace is steady, for so many seconds at most.
void heat_up(double most);

}  // namespace afford::calibrate
