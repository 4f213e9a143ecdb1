#include "records/served.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "study/inputs.hpp"

namespace afford {

const Record<study::Served>& served_record() {
  using Served = study::Served;
  const auto end = [](const Served& s, double factor) {
    return number_if(s.interval.known(), factor * s.tpot / millisecond);
  };
  static const Record<Served> record = {
      of_group<Served>({{"fidelity", "fidelity", Show::text, in_files_only},
                        [](const Served& s) { return s.fidelity; }}),
      of_group<Served>({{"engine", "engine", Show::text, in_files_only},
                        [](const Served& s) { return s.engine; }}),
      typed_field<Served>({"ideal_tpot_ms", "ideal TPOT", Show::plain, in_files_only},
                          [](const Served& s) {
                            return number_if(s.ideal.has_value(),
                                             s.ideal.value_or(Seconds(0)) / millisecond);
                          }),
      typed_field<Served>(
          {"tokens_per_user_s", "tok/s/user", Show::plain, in_files_only, "tokens_per_gpu_s"},
          [](const Served& s) { return number_if(s.tpot > Seconds(0), 1 / (s.tpot / second)); }),
      typed_field<Served>(
          {"joules_per_token", "J/token", Show::plain, in_files_only, "usd_per_mtok"},
          [](const Served& s) {
            const double joules = energy_of(s).base();
            return number_if(joules > 0, joules);
          }),
      typed_field<Served>({"tokens_per_kwh", "tok/kWh", Show::plain, in_files_only},
                          [](const Served& s) {
                            const study::JoulesPerToken energy = energy_of(s);
                            return number_if(energy.base() > 0,
                                             study::kilowatt_hour / energy / token);
                          }),
      typed_field<Served>({"tpot_low_ms", "TPOT from", Show::plain, in_files_only},
                          [=](const Served& s) { return end(s, s.interval.low); }),
      typed_field<Served>({"tpot_high_ms", "TPOT to", Show::plain, in_files_only},
                          [=](const Served& s) { return end(s, s.interval.high); })};
  return record;
}

std::string engine_note(const std::vector<EngineUse>& uses, const std::string& named) {
  constexpr size_t most = 4;
  std::vector<std::string> engines, times;
  for (const EngineUse& use : uses) {
    if (use.served->engine == no_engine) continue;
    const std::string engine =
        fmt::format("{} for {}", use.served->engine, use.afd ? "AFD" : "co-located");
    if (std::find(engines.begin(), engines.end(), engine) == engines.end())
      engines.push_back(engine);
    if (use.served->ideal && times.size() < most)
      times.push_back(fmt::format("{} {:.2f} ms", use.label, *use.served->ideal / millisecond));
  }
  if (engines.empty()) return "";
  return fmt::format("Engine: {}{}. The same formats with no engine: {}.", fmt::join(engines, ", "),
                     named.empty() ? ", assumed; --engine NAME takes another" : "",
                     fmt::join(times, ", "));
}

}  // namespace afford
