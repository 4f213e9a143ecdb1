#include "plan/glpk.hpp"

#ifdef AFFORD_GLPK_FILE
#include <dlfcn.h>
#include <fmt/format.h>

#include "error.hpp"
#endif

namespace afford {
namespace {

#ifdef AFFORD_GLPK_FILE

[[noreturn]] void fail() {
  throw UsageError(fmt::format("a plan needs GLPK, which cannot be loaded: {}", dlerror()));
}

template <class Function>
void find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
  if (function == nullptr) fail();
}

Glpk load() {
  void* const library = dlopen(AFFORD_GLPK_FILE, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) fail();
  Glpk loaded;
#define AFFORD_GLPK_FIND(name) find(library, "glp_" #name, loaded.name);
  AFFORD_GLPK_FUNCTIONS(AFFORD_GLPK_FIND)
#undef AFFORD_GLPK_FIND
  return loaded;
}

#else  // linked, where nothing can be loaded

Glpk load() {
#define AFFORD_GLPK_ADDRESS(name) .name = &glp_##name,
  return {AFFORD_GLPK_FUNCTIONS(AFFORD_GLPK_ADDRESS)};
#undef AFFORD_GLPK_ADDRESS
}

#endif

}  // namespace

const Glpk& glpk() {
  static const Glpk loaded = load();
  return loaded;
}

}  // namespace afford
