// expect: publish
#include "uncopyable.hpp"

const annals::hosted made = annals::host<uncopyable>({.publish = true});
