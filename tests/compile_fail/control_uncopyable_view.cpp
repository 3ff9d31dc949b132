// expect-success
#include "uncopyable.hpp"

const annals::hosted made = annals::host<uncopyable>({.own_thread = true});
