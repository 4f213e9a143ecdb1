#include "faults.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace afford::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

const std::vector<std::string> inputs = {"w.yaml", "c.json", "one.csv", "two.csv",
                                         "p.csv",  "t.csv",  "data"};

std::string content(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// A small search; with two pools a longer one, which a signal can find at work.
const std::vector<std::string> search = {
    "pareto",        "-m", "step-3",        "--on", "h800",     "-c",  "8k",    "--max-gpus", "16",
    "--batch-steps", "1",  "--calibration", "none", "--format", "csv", "--ways"};
const std::vector<std::string> one_pool = {"ep,tp"}, two_pools = {"afd,ep,tp"};

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// Between fork and exec a signal shall not find the handlers of the test's own process.
class SignalsHeld {
 public:
  SignalsHeld() { (void)change(SIG_BLOCK); }
  ~SignalsHeld() { (void)change(SIG_UNBLOCK); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

  /// In the child: what was held back then ends it as it ends any program.
  static void release() {
    for (const int signal : all) std::signal(signal, SIG_DFL);
    (void)change(SIG_UNBLOCK);
  }

 private:
  static constexpr int all[] = {SIGINT, SIGTERM, SIGHUP};
  static int change(int how) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : all) sigaddset(&set, signal);
    return sigprocmask(how, &set, nullptr);
  }
};

[[noreturn]] void become(const Writer& writer, const Workplace& place,
                         const Disturbance& disturbance, const std::string& streams) {
  const auto redirect = [](const std::string& path, int to) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || ::dup2(fd, to) < 0) ::_exit(99);
    ::close(fd);
  };
  redirect(streams + "/out", STDOUT_FILENO);
  redirect(streams + "/err", STDERR_FILENO);
  if (::chdir(place.path().c_str()) != 0) ::_exit(99);
  ::setenv("AFFORD_DATA", (place.path() + "/data").c_str(), 1);
  for (const auto& [name, value] : disturbance.environment)
    ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<std::string> words = std::vector<std::string>{AFFORD_BINARY} + writer.words;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  SignalsHeld::release();
  ::execv(arguments.front(), arguments.data());
  ::_exit(99);
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The shipped data beside a page of one line.
void make_data(const fs::path& folder) {
  fs::create_directory(folder);
  for (const char* kind : {"models", "hardware", "engines", "validation"})
    fs::create_directory_symlink(fs::path(AFFORD_SOURCE) / kind, folder / kind);
  std::ofstream(folder / "explore.html") << "<template><!--START--></template>\n";
}

std::string fresh_folder(const std::string& parent) {
  std::string name = parent + "/afford-faults-XXXXXX";
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  return name;
}

}  // namespace

const std::vector<Writer>& writers() {
  const std::vector<std::string> pools = {"--attention", "h800:2x8", "--ffn", "h800:2x8",
                                          "--batch",     "3072",     "-m",    "step-3"};
  const std::vector<std::string> pool = {"-m", "step-3", "--colocated", "h800:2x8"};
  const std::vector<std::string> swept = {"--sweep", "memory-bandwidth=4TB/s..16TB/s*2"};
  const std::vector<std::string> plan = {"plan",          "w.yaml", "--on",          "h20",
                                         "--max-gpus",    "16",     "--ways",        "ep",
                                         "--batch-steps", "1",      "--calibration", "none"};
  using Words = std::vector<std::string>;
  static const std::vector<Writer> all = {
      {"cost", {"cost", "-m", "step-3", "-o", "out"}, "out"},
      {"cost, a picture", {"cost", "-m", "step-3", "--plot", "out.png"}, "out.png"},
      {"compare", {"compare", "-m", "step-3", "--format", "md", "-o", "out"}, "out"},
      {"compare, a picture", {"compare", "-m", "step-3", "--plot", "out.svg"}, "out.svg"},
      {"compare, a script", {"compare", "-m", "step-3", "--plot", "out.gp"}, "out.gp"},
      {"roofline", {"roofline", "-m", "step-3", "--format", "json", "-o", "out"}, "out"},
      {"roofline, a picture", {"roofline", "-m", "step-3", "--plot", "out.svg"}, "out.svg"},
      {"simulate", Words{"simulate", "-o", "out"} + pools, "out"},
      {"simulate, a trace", Words{"simulate", "--trace", "out"} + pools, "out"},
      {"simulate, a picture", Words{"simulate", "--plot", "out.svg"} + pools + swept, "out.svg"},
      {"pareto", search + two_pools + Words{"-o", "out"}, "out"},
      {"pareto, all", search + two_pools + Words{"--all", "-o", "out"}, "out"},
      {"pareto, a picture", search + two_pools + Words{"--plot", "out.svg"}, "out.svg"},
      {"merge", {"merge", "one.csv", "two.csv", "--format", "csv", "-o", "out"}, "out"},
      {"merge, a picture", {"merge", "one.csv", "two.csv", "--plot", "out.svg"}, "out.svg"},
      {"plan", plan + Words{"-o", "out"}, "out"},
      {"plan, a picture", plan + swept + Words{"--plot", "out.svg"}, "out.svg"},
      {"import", {"import", "c.json", "--date", "2025-11", "-o", "out.yaml"}, "out.yaml"},
      {"fit-engine", {"fit-engine", "p.csv", "--date", "2025-11", "-o", "out.yaml"}, "out.yaml"},
      {"validate", {"validate", "--served", "p.csv", "-o", "out"}, "out"},
      {"validate, a picture", {"validate", "--served", "p.csv", "--plot", "out.svg"}, "out.svg"},
      {"fit", Words{"fit", "-o", "out"} + pool, "out"},
      {"prefill", Words{"prefill", "-o", "out"} + pool, "out"},
      {"replay", Words{"replay", "t.csv", "--format", "csv", "-o", "out"} + pool, "out"},
      {"replay, over time", Words{"replay", "t.csv", "--over-time", "out"} + pool, "out"},
      {"replay, a trace", Words{"replay", "t.csv", "--trace", "out"} + pool, "out"},
      {"replay, a picture", Words{"replay", "t.csv", "--plot", "out.svg"} + pool, "out.svg"},
      {"explore", Words{"explore", "-o", "out.html", "prefill"} + pool, "out.html"},
      {"list", {"list", "models", "--format", "md", "-o", "out"}, "out"},
      {"show", {"show", "step-3", "-o", "out"}, "out"}};
  return all;
}

const Writer& writer_named(const std::string& name) {
  for (const Writer& writer : writers()) {
    if (writer.name == name) return writer;
  }
  throw std::logic_error("no writer named " + name);
}

bool thorough() {
  const char* wanted = std::getenv("AFFORD_FAULTS");
  return wanted != nullptr && std::string(wanted) == "all";
}

Workplace::Workplace(std::string parent)
    : path_(fresh_folder(parent.empty() ? fs::temp_directory_path().string() : parent)) {
  const fs::path sources = AFFORD_SOURCE;
  // Little enough traffic for the few deployments a quick plan tries.
  std::string workload = content(sources / "reports/chat-50.yaml");
  const std::string rate = "requests_per_second: 50";
  workload.replace(workload.find(rate), rate.size(), "requests_per_second: 0.5");
  std::ofstream(path_ + "/w.yaml") << workload;
  std::ofstream(path_ + "/t.csv") << "arrival_s,prompt_tokens,output_tokens\n0,100,5\n1,200,9\n";
  make_data(path_ + "/data");
  fs::copy_file(sources / "tests/import/llama-3.1-8b.json", path_ + "/c.json");
  std::istringstream served(content(sources / "validation/served.csv"));
  std::ofstream points(path_ + "/p.csv");
  constexpr int some = 6;  // the header and five points
  for (int i = 0; i < some; ++i) {
    std::string line;
    std::getline(served, line);
    points << line << '\n';
  }
  points.close();
  for (const char* part : {"1/2", "2/2"}) {
    const std::string name = part[0] == '1' ? "one.csv" : "two.csv";
    const Writer shard{
        "part", search + one_pool + std::vector<std::string>{"--shard", part, "-o", name}, name};
    REQUIRE(run(shard, *this).code == 0);
  }
}

Workplace::~Workplace() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void Workplace::reset(const std::string& output) const {
  for (const std::string& name : strays(output)) fs::remove(path_ + "/" + name);
  std::ofstream(path_ + "/" + output, std::ios::binary | std::ios::trunc) << old_content;
}

std::string Workplace::read(const std::string& name) const { return content(path_ + "/" + name); }

std::vector<std::string> Workplace::strays(const std::string& output) const {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    if (name != output && std::find(inputs.begin(), inputs.end(), name) == inputs.end())
      found.push_back(name);
  }
  return found;
}

Ended run(const Writer& writer, const Workplace& place, const Disturbance& disturbance) {
  const std::string streams = fresh_folder(fs::temp_directory_path().string());
  const auto start = Clock::now();
  const SignalsHeld held;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) become(writer, place, disturbance, streams);
  if (disturbance.signal != 0) {
    std::this_thread::sleep_for(disturbance.after);
    ::kill(child, disturbance.signal);
  }
  Ended ended;
  ended.code = wait_for(child);
  ended.took = Clock::now() - start;
  ended.out = content(streams + "/out");
  ended.err = content(streams + "/err");
  fs::remove_all(streams);
  return ended;
}

}  // namespace afford::test
