#pragma once

// The library's own codecs, in three groups. Included by annals/codec.hpp; include that instead.

#include "annals/codec_scalars.hpp"

#include "annals/codec_containers.hpp"

#include "annals/codec_structs.hpp"
