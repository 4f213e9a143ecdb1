// Runs the fuzz targets over the corpus and over files that are known to be good, for compilers
// without libFuzzer and for ctest: each argument is TARGET=FILE or TARGET=FOLDER, or a folder of
// folders named after targets. --mutants=COUNT runs so many mutants a target of them instead, the
// same ones on every machine.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "fuzz/mutate.hpp"
#include "fuzz/targets.hpp"
#include "text/number.hpp"

namespace {

namespace fs = std::filesystem;

/// The inputs of each target by the file they come from.
using Corpus = std::map<std::string, std::map<std::string, std::string>>;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "replay: {}\n", why);
  std::exit(2);
}

void add(Corpus& corpus, const std::string& target, const fs::path& path) {
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator(path)) add(corpus, target, entry.path());
    return;
  }
  if (afford::fuzz::find(target) == nullptr) give_up(fmt::format("no fuzz target '{}'", target));
  std::ifstream stream(path, std::ios::binary);
  corpus[target][path.string()] = {std::istreambuf_iterator<char>(stream), {}};
}

/// That this process has had of a processor, whatever else runs.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// The same of children that have ended.
double childrens_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  constexpr double microsecond = 1e-6;
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         microsecond * static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

/// Every input once; how many took too long.
int replay(const Corpus& corpus) {
  constexpr double slowest_allowed = 4;  // of processor time under sanitizers: a hang, not a load
  int inputs = 0, slow = 0;
  for (const auto& [target, files] : corpus) {
    for (const auto& [file, text] : files) {
      const double start = processor_seconds();
      afford::fuzz::find(target)->run(text);
      const double seconds = processor_seconds() - start;
      ++inputs;
      if (seconds <= slowest_allowed) continue;
      fmt::print(stderr, "{} {}: took {:.2f} s\n", target, file, seconds);
      ++slow;
    }
  }
  fmt::print("{} inputs over {} targets, {} too slow\n", inputs, corpus.size(), slow);
  return slow == 0 && inputs > 0 ? 0 : 1;
}

afford::fuzz::Mutator mutator_of(const std::map<std::string, std::string>& files) {
  constexpr std::uint32_t seed = 20261126;
  constexpr size_t largest = size_t{1} << 16;  // of larger ones too few mutants would be tried
  std::vector<std::string> texts = {""};
  for (const auto& [file, text] : files) {
    if (text.size() <= largest) texts.push_back(text);
  }
  return {std::move(texts), seed};
}

/// How many mutants were begun: in memory that outlives the process that runs them.
class Begun {
 public:
  Begun()
      : count_(static_cast<std::uint64_t*>(::mmap(nullptr, sizeof(std::uint64_t),
                                                  PROT_READ | PROT_WRITE,
                                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    if (count_ == MAP_FAILED) give_up("no memory to share");
  }
  ~Begun() { ::munmap(count_, sizeof(std::uint64_t)); }
  Begun(const Begun&) = delete;
  Begun& operator=(const Begun&) = delete;
  [[nodiscard]] std::uint64_t& count() { return *count_; }

 private:
  std::uint64_t* count_;
};

/// In a process of its own, whose end tells. A mutant of more than `slowest` seconds ends it too.
[[noreturn]] void run_mutants(const afford::fuzz::Target& target, afford::fuzz::Mutator mutator,
                              std::uint64_t count, Begun& begun) {
  constexpr unsigned slowest = 20;
  while (begun.count() < count) {
    const std::string text = mutator.next();
    ++begun.count();
    ::alarm(slowest);
    target.run(text);
  }
  ::alarm(0);
  std::_Exit(0);
}

/// The mutant that ended the process, written to a file for who mends.
void keep_failure(const std::string& target, afford::fuzz::Mutator mutator, std::uint64_t begun) {
  std::string text;
  for (std::uint64_t i = 0; i < begun; ++i) text = mutator.next();
  const std::string file = "fuzz-failure-" + target;
  std::ofstream(file, std::ios::binary) << text;
  fmt::print(stderr, "{}: mutant {} fails or takes too long; it is in {}\n", target, begun, file);
}

int mutate(const Corpus& corpus, std::uint64_t count) {
  std::uint64_t all = 0;
  int failures = 0;
  for (const auto& [target, files] : corpus) {
    const afford::fuzz::Mutator mutator = mutator_of(files);
    Begun begun;
    const double before = childrens_seconds();
    const pid_t child = ::fork();
    if (child < 0) give_up("no process");
    if (child == 0) run_mutants(*afford::fuzz::find(target), mutator, count, begun);
    int status = 0;
    ::waitpid(child, &status, 0);
    all += begun.count();
    fmt::print("{}: {} mutants, {:.1f} s of a processor\n", target, begun.count(),
               childrens_seconds() - before);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    keep_failure(target, mutator, begun.count());
    ++failures;
  }
  fmt::print("{} mutants over {} targets, {:.0f} s of a processor, {} failures\n", all,
             corpus.size(), childrens_seconds(), failures);
  return failures == 0 && all > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::string_view mutating = "--mutants=";
  constexpr std::int64_t most_mutants = 1'000'000'000;
  Corpus corpus;
  std::uint64_t mutants = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with(mutating)) {
      const auto given = afford::parse_integer(argument.substr(mutating.size()));
      if (!given || *given < 1 || *given > most_mutants)
        give_up("--mutants: expected a number of them");
      mutants = static_cast<std::uint64_t>(*given);
    } else if (const size_t equals = argument.find('='); equals != std::string::npos) {
      add(corpus, argument.substr(0, equals), argument.substr(equals + 1));
    } else {
      for (const auto& entry : fs::directory_iterator(argument))
        add(corpus, entry.path().filename().string(), entry.path());
    }
  }
  return mutants > 0 ? mutate(corpus, mutants) : replay(corpus);
}
