#include "traffic/arrivals.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "text/draws.hpp"
#include "traffic/trace.hpp"

namespace afford {
namespace {

std::int64_t draw(const LengthLaw& law, RandomBits& bits) {
  const auto whole = [](double tokens) {
    return std::clamp<std::int64_t>(std::llround(tokens), 1, most_trace_tokens);
  };
  switch (law.kind) {
    case LengthLaw::Kind::fixed:
      return whole(law.mean);
    case LengthLaw::Kind::uniform:
      return draw_whole(bits, whole(law.least), whole(law.most));
    case LengthLaw::Kind::geometric:
      return 1 + draw_failures(bits, 1 / std::max(1.0, law.mean), most_trace_tokens - 1);
    case LengthLaw::Kind::lognormal:
      break;
  }
  const double variance = std::log(1 + law.cv * law.cv), middle = std::log(law.mean) - variance / 2;
  const double tokens = std::exp(middle + std::sqrt(variance) * draw_normals(bits).first);
  return whole(law.most > 0 ? std::min(tokens, law.most) : tokens);
}

}  // namespace

RequestSource trace_source(const std::string& file) {
  return [reader = std::make_shared<TraceReader>(file)] { return reader->next(); };
}

RequestSource trace_source(const std::string& file, const LinePosition& from) {
  auto reader = std::make_shared<TraceReader>(file);
  reader->go_to(from);
  return [reader = std::move(reader)] { return reader->next(); };
}

RequestSource first_of(RequestSource source, std::int64_t most) {
  return [source = std::move(source), left = most]() mutable -> std::optional<Request> {
    if (left == 0) return std::nullopt;
    --left;
    return source();
  };
}

RequestSource watched(RequestSource source, std::function<void(std::uint64_t)> seen) {
  constexpr std::uint64_t every = 1024;
  return [source = std::move(source), seen = std::move(seen),
          count = std::uint64_t{0}]() mutable -> std::optional<Request> {
    if (++count % every == 0) seen(count);
    return source();
  };
}

RequestSource poisson(RequestSource source, double rate, std::uint64_t seed) {
  return [source = std::move(source), rate, bits = RandomBits(seed), now = 0.0]() mutable {
    std::optional<Request> request = source();
    if (request) request->arrival_s = now += draw_gap(bits, rate);
    return request;
  };
}

RequestSource faster(RequestSource source, double times) {
  return [source = std::move(source), times]() mutable {
    std::optional<Request> request = source();
    if (request) request->arrival_s /= times;
    return request;
  };
}

RequestSource drawn(const LengthLaw& prompt, const LengthLaw& output, std::uint64_t seed) {
  return [=, bits = RandomBits(seed)]() mutable -> std::optional<Request> {
    Request request;
    request.prompt_tokens = draw(prompt, bits);
    request.output_tokens = draw(output, bits);
    return request;
  };
}

}  // namespace afford
