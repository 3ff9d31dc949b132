#pragma once

namespace retail {

/// From now on SIGINT and SIGTERM ask for an orderly end instead of ending the process; a second one
/// ends it at once. Throws `std::system_error`.
void catch_stop_signals();

/// The signal that asked to stop; 0 if none did.
[[nodiscard]] int stop_signal() noexcept;

/// A file descriptor that becomes readable with the signal, to wait for it beside other things.
[[nodiscard]] int stop_descriptor() noexcept;

} // namespace retail
