// Writes the man pages and the completions of three shells from the option tables that --help is
// made of: `afford_manual FOLDER`.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "report/output_file.hpp"
#include "version.hpp"

namespace {

using afford::cli::Parameter;
using afford::cli::Takes;
using afford::cli::VerbDescription;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

bool is_flag(const Parameter& p) { return p.names.starts_with('-'); }
bool is_file(const Parameter& p) {
  return p.type.starts_with("FILE") || p.type == "DIR" || !is_flag(p);
}

/// "-c,--context" in two; one where there is no short name.
std::vector<std::string> names_of(const Parameter& p) {
  const size_t comma = p.names.find(',');
  if (comma == std::string::npos) return {p.names};
  return {p.names.substr(0, comma), p.names.substr(comma + 1)};
}

/// Text as troff takes it: no hyphen becomes a dash, no line a request.
std::string troff(const std::string& text) {
  const std::string escaped = replaced(replaced(text, "\\", "\\e"), "-", "\\-");
  const bool request = escaped.starts_with('.') || escaped.starts_with('\'');
  return request ? "\\&" + escaped : escaped;
}

std::string troff_parameter(const Parameter& p) {
  std::string names;
  for (const std::string& name : names_of(p))
    names += (names.empty() ? "" : ", ") + ("\\fB" + troff(name) + "\\fR");
  if (p.takes != Takes::nothing && !p.type.empty()) names += " \\fI" + troff(p.type) + "\\fR";
  const std::string initial = p.initial.empty() ? "" : " (default " + p.initial + ")";
  return fmt::format(".TP\n{}\n{}{}\n", names, troff(p.help), troff(initial));
}

std::string man_head(const std::string& page, const std::string& what) {
  std::string upper = page;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  // Flags and file names are not hyphenated.
  return fmt::format(".TH {} 1 \"\" \"afford {}\"\n.nh\n.SH NAME\n{} \\- {}\n", troff(upper),
                     afford::version, troff(page), troff(what));
}

constexpr const char* exit_section =
    ".SH EXIT STATUS\n0 done; 1 the answer is no; 2 bad input, told in one line; 130 interrupted.\n"
    ".SH ENVIRONMENT\n.TP\n\\fBAFFORD_DATA\\fR\nFolder with models/, hardware/ and engines/ in "
    "place of the installed one.\n.TP\n\\fBAFFORD_PATH\\fR\nFolders with own models/, hardware/ "
    "and "
    "engines/, colons between.\n";

std::string man_page(const VerbDescription& verb) {
  std::string synopsis = ".SH SYNOPSIS\n\\fBafford " + troff(verb.name) + "\\fR [options]";
  std::string arguments, flags;
  for (const Parameter& p : verb.parameters) {
    (is_flag(p) ? flags : arguments) += troff_parameter(p);
    if (is_flag(p)) continue;
    const std::string name = "\\fI" + troff(p.names) + "\\fR";
    const std::string many = p.takes == Takes::repeated ? "..." : "";
    synopsis += " " + (p.required ? name + many : "[" + name + many + "]");
  }
  return man_head("afford-" + verb.name, verb.help) + synopsis + "\n.SH DESCRIPTION\n" +
         troff(verb.help) + ".\n" + (arguments.empty() ? "" : ".SH ARGUMENTS\n" + arguments) +
         ".SH OPTIONS\n" + flags + exit_section + ".SH SEE ALSO\n\\fBafford\\fR(1)\n";
}

std::string main_page(const std::vector<VerbDescription>& verbs) {
  std::string page = man_head("afford", "what a decoded token of a large language model costs") +
                     ".SH SYNOPSIS\n\\fBafford\\fR \\fIverb\\fR [options]\n.SH VERBS\n";
  std::string also;
  for (const VerbDescription& verb : verbs) {
    page += fmt::format(".TP\n\\fB{}\\fR\n{}\n", troff(verb.name), troff(verb.help));
    also += fmt::format("{}\\fBafford\\-{}\\fR(1)", also.empty() ? "" : ",\n", troff(verb.name));
  }
  return page + exit_section + ".SH SEE ALSO\n" + also + "\n";
}

/// @verbs@, @valued@ (flags that take a value other than a file) and @cases@ are filled in.
constexpr const char* bash_script =
    R"bash(# bash completion of afford: verbs, flags, names of models and chips, files.
_afford_names() { afford list "$1" --format csv 2>/dev/null | sed '1d;s/,.*//'; }
_afford() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} flags=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W '@verbs@--help --version' -- "$word")
    return
  fi
  case $before in
    -m | --model) mapfile -t COMPREPLY < <(compgen -f -W "$(_afford_names models)" -- "$word"); return ;;
    --on) mapfile -t COMPREPLY < <(compgen -f -W "$(_afford_names hardware)" -- "$word"); return ;;
    --engine) mapfile -t COMPREPLY < <(compgen -f -W "$(_afford_names engines)" -- "$word"); return ;;
    @valued@) return ;;
  esac
  case ${COMP_WORDS[1]} in
@cases@  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _afford afford
)bash";

std::string bash_completion(const std::vector<VerbDescription>& verbs) {
  std::string cases, names;
  std::set<std::string> valued;
  for (const VerbDescription& verb : verbs) {
    std::string flags;
    for (const Parameter& p : verb.parameters) {
      for (const std::string& name : names_of(p)) {
        if (!is_flag(p)) continue;
        flags += name + " ";
        if (p.takes != Takes::nothing && !is_file(p)) valued.insert(name);
      }
    }
    names += verb.name + " ";
    cases += fmt::format("    {}) flags='{}--help' ;;\n", verb.name, flags);
  }
  std::string script = bash_script;
  for (const auto& [place, text] : {std::pair("@verbs@", names),
                                    {"@valued@", fmt::format("{}", fmt::join(valued, "|"))},
                                    {"@cases@", cases}})
    script = replaced(script, place, text);
  return script;
}

/// One shell word, whatever the text.
std::string quoted(const std::string& text) { return "'" + replaced(text, "'", "'\\''") + "'"; }

std::string zsh_completion(const std::vector<VerbDescription>& verbs) {
  std::string list, cases;
  for (const VerbDescription& verb : verbs) {
    list += "    " + quoted(verb.name + ":" + replaced(verb.help, ":", "\\:")) + "\n";
    std::string specs;
    for (const Parameter& p : verb.parameters) {
      const std::string help = replaced(replaced(replaced(p.help, "[", "("), "]", ")"), ":", "\\:");
      const std::string action =
          is_file(p) ? ":file:_files"
                     : ":" + (p.type.empty() ? p.names : replaced(p.type, ":", "\\:")) + ":";
      for (const std::string& name : names_of(p)) {
        const std::string spec =
            is_flag(p) ? "*" + name + "[" + help + "]" + (p.takes == Takes::nothing ? "" : action)
                       : "*:" + p.names + ":_files";
        specs += " \\\n        " + quoted(spec);
      }
    }
    cases += fmt::format("      {}) _arguments{} ;;\n", verb.name, specs);
  }
  return "#compdef afford\n_afford() {\n  local -a verbs\n  verbs=(\n" + list +
         "  )\n  if (( CURRENT == 2 )); then\n    _describe verb verbs\n  else\n    local "
         "verb=$words[2]\n"
         "    words=(\"${(@)words[2,-1]}\")\n    (( CURRENT-- ))\n    case $verb in\n" +
         cases + "    esac\n  fi\n}\n_afford \"$@\"\n";
}

std::string fish_completion(const std::vector<VerbDescription>& verbs) {
  std::string text;
  for (const VerbDescription& verb : verbs) {
    text += fmt::format("complete -c afford -n __fish_use_subcommand -f -a {} -d {}\n", verb.name,
                        quoted(verb.help));
    for (const Parameter& p : verb.parameters) {
      if (!is_flag(p)) continue;
      std::string names;
      for (const std::string& name : names_of(p))
        names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      const char* takes = p.takes == Takes::nothing ? "" : is_file(p) ? " -r" : " -x";
      text += fmt::format("complete -c afford -n '__fish_seen_subcommand_from {}'{}{} -d {}\n",
                          verb.name, names, takes, quoted(p.help));
    }
  }
  return text;
}

void write(const std::filesystem::path& folder) {
  const std::vector<VerbDescription> verbs = afford::cli::descriptions();
  for (const char* kind : {"man1", "bash", "zsh", "fish"})
    std::filesystem::create_directories(folder / kind);
  afford::write_whole(folder / "man1" / "afford.1", main_page(verbs));
  for (const VerbDescription& verb : verbs)
    afford::write_whole(folder / "man1" / ("afford-" + verb.name + ".1"), man_page(verb));
  afford::write_whole(folder / "bash" / "afford", bash_completion(verbs));
  afford::write_whole(folder / "zsh" / "_afford", zsh_completion(verbs));
  afford::write_whole(folder / "fish" / "afford.fish", fish_completion(verbs));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "afford_manual: expected a folder\n");
    return 2;
  }
  try {
    write(argv[1]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "afford_manual: {}\n", error.what());
    return 2;
  }
  return 0;
}
