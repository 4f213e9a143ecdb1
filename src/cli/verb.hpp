#pragma once
// One verb of the command line. Keeps CLI11, which is slow to compile, out of every file but
// command_line.cpp and verb.cpp.

#include <functional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "ask.hpp"
#include "cli/host.hpp"

namespace CLI {
class App;
}

namespace afford::cli {

/// The application a verb belongs to, and who runs it. Both must outlive the verb.
struct Program {
  CLI::App& app;
  const Host& host;
};

/// What a flag or argument takes: nothing, one value of a kind, values with commas between, or a
/// value each time it is given.
enum class Takes { nothing, text, integer, real, list, repeated };

struct Parameter {
  std::string names;  // "-c,--context"; an argument's without dashes
  Takes takes = Takes::text;
  std::string type, help, initial;  // as the help shows them; no default: empty
  bool required = false;
  bool written = false;  // names a file to write
};

/// The variable that a parameter fills.
using Variable = std::variant<bool*, int*, double*, std::string*, std::vector<std::string>*>;

struct VerbDescription {
  std::string name, help;
  std::vector<Parameter> parameters;
};

class Verb {
 public:
  /// A new sub-command.
  Verb(const Program& program, const std::string& name, const std::string& help);

  /// What to do once parsed; returns the exit code.
  std::function<int()> run;

  // Flags and arguments. The variable must outlive the parsing; its value is the default shown in
  // the help. `names` is as CLI11 takes it ("-c,--context"; "name" for a positional), `type` what
  // the help shows for the value.
  // Each value is given once, and not empty.
  void text(const char* names, std::string& into, const char* help, const char* type = "TEXT");
  /// A text that names a file to write. No two of a verb may be the same one, nor one that another
  /// word of the command line names: it would be gone.
  void written(const char* names, std::string& into, const char* help, const char* type);
  /// A list with commas between; the flag may be given several times.
  void texts(const char* names, std::vector<std::string>& into, const char* help, const char* type);
  /// A flag that may be given several times; commas belong to the value.
  void repeated(const char* names, std::vector<std::string>& into, const char* help,
                const char* type);
  void integer(const char* names, int& into, const char* help);
  void real(const char* names, double& into, const char* help);
  void flag(const char* names, bool& into, const char* help);
  void required(const char* names, std::string& into, const char* help);
  void required_written(const char* names, std::string& into, const char* help);
  void required(const char* names, std::vector<std::string>& into, const char* help);

  /// From the first word that is none of its own flags on, all words as they are: another command.
  void rest(const char* name, std::vector<std::string>& into, const char* help);

  /// To be done before run(): places that are written are opened.
  void before(std::function<void(const Verb&)> step) { steps_.push_back(std::move(step)); }

  /// Fills the variables without a command line. Throws UsageError for a value that a parameter
  /// does not take, one that is missing and one that no parameter has the name of.
  void take(const Values& values);

  /// Whether the question has the flag; false for one that the verb does not take.
  [[nodiscard]] bool given(const std::string& flag) const;

  /// Words that no parameter takes are another command, or else a mistake: false.
  [[nodiscard]] bool keep(const std::vector<std::string>& words);
  /// Everything once the variables are filled; the exit code.
  [[nodiscard]] int execute() const;

  [[nodiscard]] const CLI::App& app() const { return *app_; }
  [[nodiscard]] const Host& host() const { return *host_; }
  [[nodiscard]] VerbDescription description() const;

 private:
  struct Written {
    std::string flag;
    const std::string* file = nullptr;
  };
  /// What the option tables have of a parameter, and where its value goes.
  struct Option {
    Parameter says;
    Variable into;
  };
  void refuse_places_taken() const;
  /// Registers it with CLI11, too, which hands over the texts of a command line.
  void add(Parameter says, Variable into);
  /// The parameter added last names a file to write.
  void write(const std::string& into);

  CLI::App* app_;
  const Host* host_;
  std::vector<Option> options_;
  std::set<std::string> given_;  // by take()
  std::vector<std::function<void(const Verb&)>> steps_;
  std::vector<Written> written_;
  std::vector<std::string>* rest_ = nullptr;
};

/// Throws UsageError: `where` takes no option of that name.
[[noreturn]] void refuse_option(const CLI::App& app, const std::string& where,
                                const std::string& name);

}  // namespace afford::cli
