#pragma once
// afford as a library. A verb that computes is a typed request and a function that answers it:
// nothing is parsed, printed or written on the way.
//
//   afford::study::SimulationRequest request;
//   request.models = {"step-3"};
//   request.contexts = {4096};
//   request.afd = {.attention = {"h800", 2, 8}, .ffn = {"h800", 2, 8}, .batch = 3072};
//   const afford::study::Simulations answer = afford::study::simulations(request);
//   for (const afford::study::Simulation& row : answer.rows)
//     use(row.label, row.served.tpot / afford::millisecond);
//
//   verb       request            answer                              in
//   cost       IdealRequest       costs(inputs) of                    study/ideal.hpp
//                                 inputs = load(request)
//   compare    IdealRequest       comparisons(inputs)
//   roofline   IdealRequest       matches(inputs, {})
//   simulate   SimulationRequest  simulations(request)                study/simulation.hpp
//   prefill    PrefillRequest     prefills(request)                   study/prefill.hpp
//   fit        FitRequest         fits(request)                       study/fit.hpp
//   pareto     FrontierRequest    frontiers(request, cases, {}) of    study/frontier.hpp
//                                 cases = frontier_cases(request)
//   plan       RentalRequest      rentals(request)                    study/rental.hpp
//   replay     ReplayRequest      replays(request)                    study/replay.hpp
//
// Models, chips and engines are names or paths; all else is numbers, quantities (units.hpp) and
// enums. What cannot be is thrown as InputError (a file, with line and column) or UsageError
// (error.hpp). Costs, comparisons, matches and frontiers point into the inputs or cases they came
// from, which are to be kept as long. As a table, typed cells under the keys of the CSV, a result
// is table_of() of the record that records/ has for it, and render() is the CSV itself:
//
//   afford::table_of(afford::simulation_record({}), answer.rows)
//
// ask() (ask.hpp) answers a verb with named values, with every check that the program makes of
// flags. Nothing global is changed, and functions may be called from several threads at once.

#include "ask.hpp"
#include "error.hpp"
#include "records/fit.hpp"
#include "records/frontier.hpp"
#include "records/ideal.hpp"
#include "records/prefill.hpp"
#include "records/rental.hpp"
#include "records/replay.hpp"
#include "records/simulation.hpp"
#include "study/fit.hpp"
#include "study/frontier.hpp"
#include "study/ideal.hpp"
#include "study/prefill.hpp"
#include "study/rental.hpp"
#include "study/replay.hpp"
#include "study/simulation.hpp"
#include "units.hpp"
