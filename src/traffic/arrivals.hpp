#pragma once
// Where requests come from, one at a time, and when.

#include <functional>
#include <optional>
#include <string>

#include "text/lines.hpp"
#include "traffic/request.hpp"

namespace afford {

/// The next request, or nothing at the end.
using RequestSource = std::function<std::optional<Request>()>;

/// The requests of a trace, as it has them; from a position on that a reader of it had. Throws
/// InputError.
[[nodiscard]] RequestSource trace_source(const std::string& file);
[[nodiscard]] RequestSource trace_source(const std::string& file, const LinePosition& from);

/// The first `most` of a source.
[[nodiscard]] RequestSource first_of(RequestSource source, std::int64_t most);

/// The same requests; `seen` hears how many so far, now and then.
[[nodiscard]] RequestSource watched(RequestSource source, std::function<void(std::uint64_t)> seen);

/// The same requests in the same order, arriving at random at so many a second (Poisson).
[[nodiscard]] RequestSource poisson(RequestSource source, double rate, std::uint64_t seed);

/// The same requests, `times` as many a second, in the rhythm of the source.
[[nodiscard]] RequestSource faster(RequestSource source, double times);

/// How long prompts or outputs are.
struct LengthLaw {
  enum class Kind { fixed, uniform, lognormal, geometric };
  Kind kind = Kind::fixed;
  double mean = 1, cv = 0;     // of a fixed or geometric length the mean, of a log-normal one both
  double least = 1, most = 0;  // of a uniform one; of a log-normal one `most` clips it, 0: nothing
};

/// Requests without end, lengths independent of one another; all arrive at 0.
[[nodiscard]] RequestSource drawn(const LengthLaw& prompt, const LengthLaw& output,
                                  std::uint64_t seed);

}  // namespace afford
