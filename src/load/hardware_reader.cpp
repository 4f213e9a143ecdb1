#include <fmt/format.h>

#include "load/readers.hpp"
#include "load/source_reader.hpp"
#include "spec/limits.hpp"

namespace afford {
namespace {

using yaml::Section;

Section figure_section(const Section& parent, std::string_view key) {
  return parent.child(key, {"value", "source", "estimate"});
}

template <class T>
Figure<T> with_source(const Section& in, T value, const Sources& sources) {
  return {.value = value,
          .source = read_source(in, sources),
          .estimate = in.has("estimate") && in.boolean("estimate")};
}

template <Dimension D>
void read_figure(const Section& parent, std::string_view key, const Sources& sources,
                 Figure<Quantity<D>>& out) {
  const Section in = figure_section(parent, key);
  const Quantity<D> value = in.quantity<D>("value");
  if (value <= Quantity<D>(0)) in.fail("value", "expected more than zero");
  out = with_source(in, value, sources);
}

void read_figure(const Section& parent, std::string_view key, const Sources& sources,
                 Figure<std::int64_t>& out, Range range = limits::devices) {
  const Section in = figure_section(parent, key);
  out = with_source(in, in.integer("value", range), sources);
}

void read_peaks(const Section& root, HardwareSpec& chip) {
  const Section peaks = root.child("peak", {"bf16", "fp8", "int8", "fp4"});
  for (const auto& [name, dtype] : compute_dtype_names) {
    if (!peaks.has(name)) continue;
    Peak peak{.dtype = dtype, .rate = {}};
    read_figure(peaks, name, chip.sources, peak.rate);
    chip.peaks.push_back(peak);
  }
  if (find_peak(chip, Dtype::bf16) == nullptr) {
    throw InputError(peaks.place(), "missing key 'bf16' in 'peak': every chip falls back on it");
  }
}

/// Optional: what a calibration of another chip needs to be carried over.
void read_processor(const Section& root, HardwareSpec& chip) {
  if (!root.has("processor")) return;
  const Section in = root.child("processor", {"architecture", "multiprocessors"});
  const Section architecture = in.child("architecture", {"value", "source"});
  chip.architecture = {architecture.name("value"), read_source(architecture, chip.sources)};
  if (in.has("multiprocessors"))
    read_figure(in, "multiprocessors", chip.sources, chip.multiprocessors);
}

/// What programs see is the printed size but for what ECC takes and for GB that are GiB.
void read_visible(const Section& memory, HardwareSpec& chip) {
  constexpr double least = 0.85, most = 1.1;
  read_figure(memory, "visible", chip.sources, chip.visible_memory);
  const double share = chip.visible_memory.value / chip.memory_size.value;
  if (share < least || share > most)
    memory.fail("visible", fmt::format("expected {} to {} of the size", least, most));
}

/// The pins are optional, but both figures together.
void read_memory(const Section& root, HardwareSpec& chip) {
  const Section memory =
      root.child("memory", {"size", "visible", "bandwidth", "bus_width", "pin_rate"});
  read_figure(memory, "size", chip.sources, chip.memory_size);
  read_figure(memory, "bandwidth", chip.sources, chip.memory_bandwidth);
  if (memory.has("visible")) read_visible(memory, chip);
  if (!memory.has("bus_width") && !memory.has("pin_rate")) return;
  read_figure(memory, "bus_width", chip.sources, chip.bus_width, limits::bus_width);
  read_figure(memory, "pin_rate", chip.sources, chip.pin_rate);
}

/// NICs are optional, but both figures together. Where the fabric joins fewer accelerators than a
/// server has, the server says what joins the others.
void read_server(const Section& root, HardwareSpec& chip) {
  const Section server =
      root.child("server", {"accelerators", "bandwidth", "nics", "nic_bandwidth"});
  read_figure(server, "accelerators", chip.sources, chip.server_accelerators);
  if (chip.scale_up_accelerators.value < chip.server_accelerators.value) {
    if (!server.has("bandwidth")) {
      throw InputError(
          server.place(),
          fmt::format("missing key 'bandwidth' in 'server': the fabric joins {} of its "
                      "{} accelerators",
                      chip.scale_up_accelerators.value, chip.server_accelerators.value));
    }
    read_figure(server, "bandwidth", chip.sources, chip.server_bandwidth);
  } else if (server.has("bandwidth")) {
    server.fail("bandwidth", "expected none, as scale_up joins every accelerator of the server");
  }
  if (!server.has("nics") && !server.has("nic_bandwidth")) return;
  read_figure(server, "nics", chip.sources, chip.server_nics);
  read_figure(server, "nic_bandwidth", chip.sources, chip.nic_bandwidth);
}

}  // namespace

HardwareSpec read_hardware(const yaml::Node& node, const std::string& file) {
  const Section root = Section::root(file, node, "hardware",
                                     {"schema", "name", "title", "sources", "processor", "peak",
                                      "memory", "scale_up", "server", "power", "price"});
  (void)root.integer("schema", {1, 1});
  HardwareSpec chip;
  chip.file = file;
  chip.name = root.name("name");
  chip.title = root.text("title");
  chip.sources = read_sources(root);
  read_processor(root, chip);
  read_peaks(root, chip);
  read_memory(root, chip);
  const Section scale_up = root.child("scale_up", {"kind", "bandwidth", "accelerators"});
  chip.scale_up_kind = scale_up.text("kind");
  read_figure(scale_up, "bandwidth", chip.sources, chip.scale_up_bandwidth);
  read_figure(scale_up, "accelerators", chip.sources, chip.scale_up_accelerators);
  read_server(root, chip);
  if (root.has("power")) read_figure(root, "power", chip.sources, chip.power);
  if (root.has("price")) read_figure(root, "price", chip.sources, chip.price);
  return chip;
}

}  // namespace afford
