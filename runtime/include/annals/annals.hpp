#pragma once

/// Everything a host application needs: domain vocabulary and runtime.
#include "annals/domain.hpp"
#include "annals/runtime.hpp"
