#include "traffic/at_once.hpp"

#include <functional>
#include <queue>
#include <vector>

namespace afford {
namespace {

/// Tokens made while so many requests were in flight.
class TokensByLoad {
 public:
  /// `requests` in flight make tokens for so long.
  void add(size_t requests, double seconds) {
    if (requests >= made_.size()) made_.resize(requests + 1);
    made_[requests] += static_cast<double>(requests) * seconds;
  }
  [[nodiscard]] double quantile(double share) const {
    double all = 0, seen = 0;
    for (const double made : made_) all += made;
    if (!(all > 0)) return 0;
    for (size_t requests = 0; requests < made_.size(); ++requests) {
      seen += made_[requests];
      if (seen >= share * all) return static_cast<double>(requests);
    }
    return static_cast<double>(made_.size() - 1);
  }

 private:
  std::vector<double> made_;  // times what a token takes, by requests in flight
};

}  // namespace

double in_flight_at_once(const RequestSource& source, Seconds token, double share) {
  std::priority_queue<double, std::vector<double>, std::greater<>> ends;  // of those in flight
  TokensByLoad tokens;
  double now = 0;
  const auto go_to = [&](double then) {
    while (!ends.empty() && ends.top() <= then) {
      tokens.add(ends.size(), ends.top() - now);
      now = ends.top();
      ends.pop();
    }
    tokens.add(ends.size(), then - now);
    now = then;
  };
  while (const std::optional<Request> request = source()) {
    go_to(request->arrival_s);
    ends.push(now + real(request->output_tokens) * token.base());
  }
  while (!ends.empty()) go_to(ends.top());
  return tokens.quantile(share);
}

}  // namespace afford
