#include <doctest/doctest.h>

#include "calibration/calibration_file.hpp"
#include "calibration/points_csv.hpp"
#include "calibration_support.hpp"
#include "error.hpp"
#include "support.hpp"
#include "yaml/document.hpp"

using namespace afford;
using namespace afford::test;

namespace {

/// The message that reading the known calibration gives with `from` replaced by `to`.
std::string calibration_after(std::string_view from, std::string_view to) {
  const std::string text = replaced(calibration_yaml(known_calibration()), from, to);
  try {
    (void)read_calibration(yaml::parse(text, "c.yaml"), "c.yaml");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

std::string points_error(std::string_view text) {
  try {
    (void)parse_points(text, "p.csv");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

/// Two made-up points, with one thing in them replaced.
std::string points_after(std::string_view from, std::string_view to) {
  Point point{.operation = "read", .tag = "a,b"};
  point.bytes = 123456789, point.median_us = 27.25;
  return points_error(replaced(points_csv({point}), from, to));
}

}  // namespace

TEST_SUITE("errors") {
  TEST_CASE("a calibration file says where it is wrong") {
    CHECK(calibration_after("schema: 1", "schema: 1") == "no error");
    CHECK(calibration_after("schema: 1", "schema: 2") ==
          "c.yaml:4:9: schema: expected an integer from 1 to 1, got '2'");
    CHECK(calibration_after("chip: h200", "chp: h200") ==
          "c.yaml:5:1: unknown key 'chp' in 'calibration'; did you mean 'chip'?");
    CHECK(calibration_after("multiprocessors: 132", "multiprocessors: 0") ==
          "c.yaml:9:48: device.multiprocessors: expected an integer from 1 to 4096, got '0'");
    CHECK(calibration_after("rate: 4.7 TB/s", "rate: 4.7") ==
          "c.yaml:11:16: roofs.read.rate: expected a bandwidth such as '4.8 TB/s', got '4.7'");
    CHECK(calibration_after("rate: 4.7 TB/s", "rate: 0 TB/s") ==
          "c.yaml:11:16: roofs.read.rate: expected more than zero");
    CHECK(calibration_after("  read: {", "  raed: {") ==
          "c.yaml:11:3: unknown key 'raed' in 'roofs'; did you mean 'read'?");
    CHECK(calibration_after("operation: mla_decode", "operation: mla_decod") ==
          "c.yaml:19:16: curves.operation: unknown value 'mla_decod'; did you mean 'mla_decode'?");
    CHECK(calibration_after("operation: mfa_decode\n    precision: fp8",
                            "operation: mfa_decode\n    precision: bf16") ==
          "c.yaml:39:16: curves.operation: mfa_decode in bf16 stands here a second time");
    CHECK(calibration_after(
              "overlap: 4\n    fill: 0\n    memory: {first_octave: 13, fraction: [0.4800",
              "overlap: 5\n    fill: 0\n    memory: {first_octave: 13, fraction: [0.4800") ==
          "c.yaml:24:14: curves.overlap: expected 1, 2, 3, 4 or 8");
    CHECK(
        calibration_after(
            "idle: [0.5000, 0.6000]\n    overlap: 4\n    fill: 0\n    memory: {first_octave: 13, "
            "fraction: [0.4800",
            "idle: [0.5000]\n    overlap: 4\n    fill: 0\n    memory: {first_octave: 13, fraction: "
            "[0.4800") == "c.yaml:23:11: curves.idle: expected [of bandwidth, of FLOPs]");
    CHECK(
        calibration_after(
            "combine: 1.2 us, piece: 0.4 us, split: 0.06 us}\n    slower: {paged: 0.0200, uneven: "
            "0.0300}\n    idle: "
            "[0.5000, 0.6000]\n    overlap: 4\n    fill: 0\n    memory: {first_octave: 13, "
            "fraction: [0.4800",
            "combine: 1.2 us, piece: 0.4 us, splits: 0.06 us}\n    slower: {paged: 0.0200, uneven: "
            "0.0300}\n    idle: "
            "[0.5000, 0.6000]\n    overlap: 4\n    fill: 0\n    memory: {first_octave: 13, "
            "fraction: "
            "[0.4800") ==
        "c.yaml:21:74: unknown key 'splits' in 'curves.fixed'; did you mean 'split'?");
    CHECK(calibration_after("fraction: [0.4800, 0.6645", "fraction: [0.4800, much") ==
          "c.yaml:26:51: curves.memory.fraction: expected a number from 1e-06 to 2, got 'much'");
    CHECK(calibration_after("fraction: [0.4800, 0.6645", "fraction: [0.9900, 0.6645") ==
          "c.yaml:26:42: curves.memory.fraction: expected numbers that never fall: a longer "
          "operation comes "
          "no further "
          "from its roof");
  }

  TEST_CASE("a table of points says where it is wrong") {
    CHECK(points_after("a,b", "a,b") == "no error");
    CHECK(points_after("operation,", "operatoin,") ==
          "p.csv:1:1: unknown column 'operatoin'; did you mean 'operation'?");
    CHECK(points_after("precision,tag", "tag,tag") ==
          "p.csv:1:15: column 'tag' stands here a second time");
    CHECK(points_after(",rejected,card\n", ",tagg,card\n") ==
          "p.csv:1:287: unknown column 'tagg'; did you mean 'tag'?");
    CHECK(points_after("123456789", "many") ==
          "p.csv:2:43: bytes: expected a number of zero or more, got 'many'");
    CHECK(points_after("27.25", "-1") ==
          "p.csv:2:57: median_us: expected a number of zero or more, got '-1'");
    CHECK(points_after("\"a,b\"", "\"a,b") == "p.csv:2:7: a quote is opened and not closed");
    CHECK(points_after("\"a,b\"", "\"a,b\"c") == "p.csv:2:12: text after a closing quote");
    CHECK(points_after("\"a,b\"", "a,b") ==
          "p.csv:2:1: expected 35 cells as in the header, got 36");
    CHECK(points_error("") == "p.csv: expected points as CSV, got an empty file");
    CHECK(points_error("operation\n") == "p.csv:1:1: missing column 'precision'");
  }
}
