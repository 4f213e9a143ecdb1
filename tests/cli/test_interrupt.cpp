#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "ask.hpp"
#include "support.hpp"

using namespace afford;

namespace {

/// The binary with a terminal of its own as standard error, where it shows how far a search is.
class OnTerminal {
 public:
  explicit OnTerminal(const std::string& arguments)
      : terminal_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    REQUIRE(terminal_ >= 0);
    REQUIRE(grantpt(terminal_) == 0);
    REQUIRE(unlockpt(terminal_) == 0);
    const std::string name = ptsname(terminal_);
    std::vector<std::string> words = {AFFORD_BINARY};
    std::istringstream text(arguments);
    for (std::string word; text >> word;) words.push_back(word);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    child_ = fork();
    REQUIRE(child_ >= 0);
    if (child_ != 0) return;
    dup2(open(name.c_str(), O_RDWR | O_NOCTTY), STDERR_FILENO);
    setenv("AFFORD_DATA", AFFORD_SOURCE, 1);
    execv(AFFORD_BINARY, argv.data());
    _exit(127);
  }
  ~OnTerminal() {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
    close(terminal_);
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;

  /// Reads until the text has been shown, or the child has closed its end. Whether it was shown.
  bool shows(const std::string& text) {
    char piece[512];
    while (shown.find(text) == std::string::npos) {
      const ssize_t got = read(terminal_, piece, sizeof piece);
      if (got <= 0) return false;
      shown.append(piece, static_cast<size_t>(got));
    }
    return true;
  }
  /// Waits until the program, no longer the copy of the tests that becomes it, catches Ctrl-C.
  void wait_for_handler() const {
    const std::string status = "/proc/" + std::to_string(child_) + "/status", mark = "SigCgt:";
    const std::string name = std::filesystem::path(AFFORD_BINARY).filename();
    for (unsigned long caught = 0; (caught >> (SIGINT - 1) & 1U) == 0;) {
      const std::string text = test::read_file(status);
      const size_t at = text.find(mark);
      REQUIRE(at != std::string::npos);
      REQUIRE(text.find("State:\tZ") == std::string::npos);
      if (text.starts_with("Name:\t" + name + "\n"))
        caught = std::stoul(text.substr(at + mark.size()), nullptr, 16);
      usleep(1000);
    }
  }
  void send(int number) const { kill(child_, number); }
  /// As waitpid says; everything it showed before is in `shown`.
  int wait_for_end() {
    (void)shows("a text that is never shown");
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = 0;
    return status;
  }

  std::string shown;

 private:
  int terminal_;
  pid_t child_ = 0;
};

/// Hours of requests; thousands of plans.
const std::string workload = AFFORD_SOURCE "/reports/chat-50.yaml ";
const std::string long_replay =
    "replay " + workload + "--colocated h800:2x8 --requests 1000000000 -o ";
const std::string long_plan = "plan " + workload + "--sweep rate=1..50+0.01 -o ";

/// Minutes long, so that it is still running when the signals come.
const std::string long_search = "pareto -m all -c 1k..128k*2 --format csv -o ";

}  // namespace

TEST_SUITE("cli") {
  TEST_CASE("an interrupt that comes twice writes what is complete and says that it is partial") {
    for (const auto& signals : {std::pair{SIGINT, SIGINT}, std::pair{SIGTERM, SIGINT}}) {
      const int first = signals.first, second = signals.second;
      CAPTURE(first);
      const test::TempFolder folder;
      const std::string file = folder.path("part.csv");
      OnTerminal search(long_search + file);
      REQUIRE(search.shows(" million candidates"));  // it has begun
      search.send(first);
      search.send(second);
      const int status = search.wait_for_end();
      CAPTURE(search.shown);
      REQUIRE(WIFEXITED(status));
      CHECK(WEXITSTATUS(status) == 130);
      CHECK(test::read_file(file).starts_with("model,context_tokens,"));
      CHECK(search.shown.find("Partial: interrupted before every candidate was tried.") !=
            std::string::npos);
      CHECK(folder.entries() == 1);  // no temporary left
      const test::Outcome merged = test::run_afford("merge " + file);
      CHECK(merged.code == 1);
      CHECK(merged.out.find("Partial: a part was interrupted") != std::string::npos);
    }
  }

  TEST_CASE(
      "a terminal shows a first frontier before any candidate is done, and what comes of it") {
    const test::TempFolder folder;
    OnTerminal search("pareto -m step-3 --on h800,h20,a800,910b --max-gpus 256 --format csv -o " +
                      folder.path("frontier.csv"));
    REQUIRE(search.shows(" points from "));
    CAPTURE(search.shown);
    CHECK(search.shown.starts_with("\r0.0 of "));
    CHECK(search.shown.find("million candidates; best so far ") != std::string::npos);
    REQUIRE(search.shows(" s left; best so far "));
    search.send(SIGINT);
    CHECK(WEXITSTATUS(search.wait_for_end()) == 130);
  }

  TEST_CASE("an interrupt ends at once what has no part worth a file, and says so") {
    for (const auto& each : {std::pair{SIGINT, long_replay},
                             {SIGTERM, long_replay},
                             {SIGHUP, long_replay},
                             {SIGINT, long_plan}}) {
      const int number = each.first;
      const std::string& command = each.second;
      CAPTURE(number);
      CAPTURE(command);
      const test::TempFolder folder;
      OnTerminal verb(command + folder.path("answer"));
      verb.wait_for_handler();
      verb.send(number);
      const int status = verb.wait_for_end();
      CAPTURE(verb.shown);
      REQUIRE(WIFSIGNALED(status));  // which shells report as 128 + the signal
      CHECK(WTERMSIG(status) == number);
      CHECK(verb.shown == "afford: interrupted; no file is half written\r\n");
      CHECK(folder.entries() == 0);
    }
  }

  TEST_CASE("a wish to stop is heard while a search is being laid out") {
    const std::atomic<bool> stop = true;
    const test::TempFolder folder;
    for (const auto& verb : {std::vector<std::string>{"pareto", "-m", "all"},
                             {"plan", AFFORD_SOURCE "/reports/chat-50.yaml"}}) {
      CAPTURE(verb.front());
      std::vector<std::string> words = verb;
      for (const char* word : {"--sweep", "price.h800=1..2+0.001", "-o"}) words.emplace_back(word);
      words.push_back(folder.path("part.csv"));
      const Answer answer = ask(words, {.stop = &stop, .progress = {}});
      CHECK(answer.status == 130);
      CHECK(answer.said == "afford: interrupted before there was an answer; nothing is written\n");
      CHECK(folder.entries() == 0);
    }
  }
}
