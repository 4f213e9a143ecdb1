#pragma once
// GLPK, loaded when a plan first asks for it: with the libraries it needs it would take every other
// verb a fifth of its start.

#include <glpk.h>

namespace afford {

// Its functions that plans call, by their names without "glp_".
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): names become members, symbols and addresses
#define AFFORD_GLPK_FUNCTIONS(each)                                                   \
  each(add_cols) each(add_rows) each(create_prob) each(delete_prob) each(get_obj_val) \
      each(get_status) each(init_iocp) each(init_smcp) each(intopt) each(mip_col_val) \
          each(mip_status) each(set_col_bnds) each(set_col_kind) each(set_mat_row)    \
              each(set_obj_coef) each(set_obj_dir) each(set_row_bnds) each(simplex) each(term_out)

struct Glpk {
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage)
#define AFFORD_GLPK_MEMBER(name) decltype(&glp_##name) name = nullptr;
  AFFORD_GLPK_FUNCTIONS(AFFORD_GLPK_MEMBER)
#undef AFFORD_GLPK_MEMBER
};

/// For the whole run. Throws UsageError where the library cannot be loaded.
[[nodiscard]] const Glpk& glpk();

}  // namespace afford
