// expect: require_publishable<uncopyable>.*this view cannot be copied|this view cannot be copied.*require_publishable<uncopyable>
#include "uncopyable.hpp"

auto read(const annals::runtime& rt) {
    return rt.reader<uncopyable>();
}
