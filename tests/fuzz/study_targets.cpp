// Readers that need the data folder, and what is read in use: the command line, calibrations,
// engines, merged searches, published cases and the tables of kernels.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>

#include "calibration/calibration_file.hpp"
#include "calibration/chip_timing.hpp"
#include "calibration/links.hpp"
#include "calibration/pipeline_point.hpp"
#include "cli/commands.hpp"
#include "deploy/evaluate.hpp"
#include "fuzz/support.hpp"
#include "fuzz/targets.hpp"
#include "load/calibrations.hpp"
#include "load/library.hpp"
#include "load/readers.hpp"
#include "study/kernel_tables.hpp"
#include "study/merge.hpp"
#include "study/pipelines.hpp"
#include "study/served_setup.hpp"
#include "study/table_kernels.hpp"
#include "study/validation.hpp"
#include "yaml/document.hpp"

namespace afford::fuzz {
namespace {

namespace fs = std::filesystem;

void require_time(Seconds time, const char* what) {
  require(std::isfinite(time.base()) && time.base() >= 0, what);
}

const HardwareSpec& h200() {
  static const HardwareSpec chip = load_hardware({"h200"}).front();
  return chip;
}

const Engine& ideal_engine() {
  static const Engine engine = load_engines({"ideal"}).front();
  return engine;
}

/// Kernels of every kind take a time.
void use(const Machine& machine) {
  for (const Dtype dtype : {Dtype::bf16, Dtype::fp8}) {
    const study::AttentionShapeAt core{32, 4, 128, 64, 8192, dtype};
    const study::ExpertsAt experts{Kernel::Kind::experts, dtype, 4096, 1536, 16, 512};
    for (const Kernel& kernel :
         {study::gqa_kernel(core), study::mla_kernel(core), study::experts_kernel(experts),
          study::dense_kernel(dtype, 64, 4096, 4096)})
      require_time(kernel_ops(kernel, machine).time(), "a kernel takes no time of this world");
  }
}

void calibration_in_use(std::string_view text) {
  allow_errors([&] {
    const auto calibration = std::make_shared<const Calibration>(
        read_calibration(yaml::parse(text, "fuzz.yaml"), "fuzz.yaml"));
    const auto kernels = std::make_shared<const Engine>(ideal_engine());
    HardwareSpec chip = h200();
    chip.measured = chip_timing({calibration, h200(), kernels}, chip);
    if (chip.measured != nullptr) use(Machine(chip, ideal_engine()));
    for (const double size : {1.0, 1e6, 1e12}) {
      const LinkCurve* link = find_link(calibration->links, "all_reduce", 2, size);
      if (link != nullptr) require_time(link->at(size), "a link takes no time of this world");
    }
  });
}

/// Without paths: nothing is read from the disk of who fuzzes but what the data folder names.
std::string pathless(std::string_view text) {
  std::string out(text);
  std::replace(out.begin(), out.end(), '/', '|');
  return out;
}

void engine(std::string_view text) {
  static const ModelSpec model = load_models({"qwen3-8b"}).front();  // dense: no routing
  static const std::vector<LayerShape> shapes = layer_shapes(model);
  allow_errors([&] {
    const Engine read = read_engine(yaml::parse(pathless(text), "fuzz.yaml"), "fuzz.yaml");
    use(Machine(h200(), read));
    const Colocated server{.pool = {&h200(), 1, 8}, .batch = 16, .layout = tensor_parallel(8)};
    const Setting setting{.model = &model, .shapes = &shapes, .context = 4096, .engine = read};
    require_time(evaluate(server, setting).tpot, "a step takes no time of this world");
  });
}

void links(std::string_view text) {
  allow_errors([&] { (void)fit_links(parse_links(text, "fuzz.csv"), {}); });
}

/// Read, and the first few predicted on a chip whose links were measured.
void pipelines(std::string_view text) {
  static const HardwareSpec h100 = [] {
    HardwareSpec chip = load_hardware({"h100"}).front();
    const auto file = data_folder() / "hardware" / "h100.calibration.yaml";
    attach_calibrations({&chip}, file.string(), true);
    return chip;
  }();
  allow_errors([&] {
    int left = 3;
    for (const PipelinePoint& point : parse_pipelines(pathless(text), "fuzz.csv")) {
      if (is_path(point.model) || left-- == 0) return;
      const study::PipelinePrediction predicted = study::predict_pipeline(point, h100);
      for (const Seconds time : {predicted.attention, predicted.ffn, predicted.layer})
        require_time(time, "a pipeline takes no time of this world");
    }
  });
}

void served(std::string_view text) {
  allow_errors([&] {
    for (const study::ServedPoint& point : study::parse_served_points(text, "fuzz.csv")) {
      for (const bool moe : {false, true}) {
        const study::Worker worker = study::worker_of(point, moe);
        require(worker.gpus > 0 && worker.tensor > 0, "a worker without GPUs");
        (void)study::why_not_usable(point, worker);
      }
      require(std::isfinite(study::mean_context(point)), "no context");
    }
  });
}

void merge(std::string_view text) {
  const File file(text);
  allow_errors([&] {
    const study::Merged merged = study::merge({file.path()});
    for (const study::MergedPoint& point : merged.points)
      require(std::isfinite(point.goals.tpot_ms), "no TPOT");
  });
}

void cases(std::string_view text) {
  allow_errors([&] {
    const study::PublishedCases read =
        study::read_published_cases(yaml::parse(pathless(text), "fuzz.yaml"), "fuzz.yaml");
    require(!read.list.empty(), "no case");
  });
}

void kernels(std::string_view text) {
  allow_errors([&] {
    ReadOnce files;
    for (const study::KernelTable& table :
         study::read_kernel_tables(yaml::parse(pathless(text), "fuzz.yaml"), "fuzz.yaml")) {
      const study::KernelCheck check = study::check_kernels(table, "none", files);
      require(std::isfinite(check.median_pct), "no deviation");
    }
  });
}

/// A folder of this process alone, for readers of folders.
class Folder {
 public:
  Folder() : name_((fs::temp_directory_path() / "afford-fuzz-XXXXXX").string()) {
    require(::mkdtemp(name_.data()) != nullptr, "no folder");
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(name_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return name_; }

 private:
  std::string name_;
};

/// The first line names the table, the others are in it.
void kernel_csv(std::string_view text) {
  constexpr std::string_view names[] = {
      "h200_gqa_decode.csv", "h200_mla_decode.csv",        "h200_moe.csv",
      "h200_gemm.csv",       "a_attn_decode_infersim.csv", "a_gemm_infersim.csv"};
  const size_t line = text.find('\n');
  const std::string_view name = text.substr(0, line);
  if (line == std::string_view::npos ||
      std::find(std::begin(names), std::end(names), name) == std::end(names))
    return;
  const Folder folder;
  std::ofstream(fs::path(folder.path()) / name, std::ios::binary) << text.substr(line + 1);
  allow_errors([&] {
    for (const study::KernelTable& table : study::read_table_folder(folder.path()))
      require(!table.points.empty(), "a table without points");
  });
}

/// A slash that stands in no rate ("4TB/s") and no share ("1/2") may lead anywhere on the disk.
bool may_be_path(std::string_view word) {
  for (size_t at = word.find('/'); at != std::string_view::npos; at = word.find('/', at + 1)) {
    if (at == 0 || std::isalnum(static_cast<unsigned char>(word[at - 1])) == 0) return true;
    if (word.substr(at + 1).starts_with("..")) return true;
  }
  return false;
}

/// Words that write, that work for long or that read what lies on the disk of who fuzzes.
bool left_out(std::string_view word) {
  for (const std::string_view start :
       {"-o", "--o", "--plot", "--trace", "--jitter", "--steps", "--max-g", "--batch-s", "--th"}) {
    if (word.starts_with(start) && word != "--osl" && word != "--objective") return true;
  }
  return word == "explore" || word == "validate" || word == "fit-engine" || word == "merge" ||
         word == "import" || may_be_path(word);
}

/// The words of a command, a word a line; none where one of them is left out.
std::vector<std::string> words_of(std::string_view text) {
  constexpr size_t most_words = 23;
  std::vector<std::string> words;
  for (size_t at = 0; at <= text.size() && words.size() < most_words;) {
    const size_t end = std::min(text.find('\n', at), text.size());
    words.emplace_back(text.substr(at, end - at));
    if (left_out(words.back()) || words.back().find('\0') != std::string::npos) return {};
    at = end + 1;
  }
  return words;
}

/// Searches are kept small, as nobody waits for them.
void bound_search(std::vector<std::string>& words) {
  const std::string& verb = words.front();
  if (verb != "pareto" && verb != "plan") return;
  for (std::string& word : words) {
    if (word == "all") word = "h20";
  }
  for (const char* bound : {"--max-gpus", "8", "--batch-steps", "1", "--threads", "1"})
    words.emplace_back(bound);
}

/// What is said and shown goes nowhere meanwhile.
class Silence {
 public:
  Silence() {
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (int i = 0; i < 2; ++i) {
      kept_[i] = ::dup(i + 1);
      ::dup2(nowhere, i + 1);
    }
    ::close(nowhere);
  }
  ~Silence() {
    for (int i = 0; i < 2; ++i) {
      ::dup2(kept_[i], i + 1);
      ::close(kept_[i]);
    }
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  int kept_[2] = {-1, -1};
};

constexpr std::string_view small_trace =
    "arrival_s,prompt_tokens,output_tokens\n0,100,20\n0.5,4000,3\n0.5,1,1\n2,900,40\n";
constexpr std::string_view small_workload =
    "schema: 1\nname: small\nmodel: qwen3-8b\n"
    "traffic:\n  requests_per_second: 2\n"
    "  prompt: {kind: lognormal, mean: 1000, cv: 1.2, most: 65536}\n"
    "  output: {kind: lognormal, mean: 200, cv: 1.0, most: 8192}\n"
    "target:\n  tpot: 50 ms\n"
    "chips:\n  h20: {reserved: {price: 0.80 USD/h}}\n";

/// A command line, a word a line; TRACE and WORKLOAD stand for files.
void command(std::string_view text) {
  std::vector<std::string> words = words_of(text);
  if (words.empty()) return;
  bound_search(words);
  const File trace(small_trace), workload(small_workload);
  for (std::string& word : words) {
    if (word == "TRACE") word = trace.path();
    if (word == "WORKLOAD") word = workload.path();
  }
  int code = 0;
  {
    const Silence silence;
    code = cli::run(words);
  }
  require(code >= 0 && code <= 2, "an exit status that is none of ours");
}

constexpr Target all[] = {{"calibration-in-use", calibration_in_use},
                          {"cases", cases},
                          {"command", command},
                          {"engine", engine},
                          {"kernel-csv", kernel_csv},
                          {"kernels", kernels},
                          {"links", links},
                          {"merge", merge},
                          {"pipelines", pipelines},
                          {"served", served}};

}  // namespace

std::span<const Target> study_targets() { return all; }

}  // namespace afford::fuzz
