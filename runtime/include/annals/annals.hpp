#pragma once

/// Everything a host application needs: domain vocabulary and runtime. By themselves: annals/caf.hpp (for
/// hosts that are actor systems), annals/event_statistics.hpp (a ready-made view).
#include "annals/domain.hpp"
#include "annals/runtime.hpp"
