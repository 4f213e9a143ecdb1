#pragma once
// The temporary files with a name that are there at this moment. Signals that end the program take
// them away first.

#include <string_view>

namespace afford::temporaries {

/// `folder` is a descriptor that stays open until forget(). The first call sets the handlers of
/// INT, TERM and HUP where those would end the program.
void add(int folder, std::string_view name);
void forget(int folder, std::string_view name) noexcept;

/// The handlers of add(), from now on, and what they say last on standard error: a text that stays.
void remove_on_signals(const char* last_words);

/// Calls nothing but unlinkat().
void remove_all() noexcept;

}  // namespace afford::temporaries
