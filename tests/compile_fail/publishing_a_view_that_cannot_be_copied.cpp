// expect: require_publishable<uncopyable>.*this view cannot be copied|this view cannot be copied.*require_publishable<uncopyable>
#include "uncopyable.hpp"

const annals::hosted made = annals::host_published<uncopyable>;
