#include "core/protocol/cache_message.h"

#include <algorithm>

#include "core/base/mutant.h"

namespace copal {

Duration age(TimePoint then, TimePoint now) {
  return std::max(now - then, Duration::zero());
}

TimePoint ago(Duration age, TimePoint now) {
  return now - std::min(age, kAgeMax);
}

AgedMNode aged(const MNode& mnode, TimePoint now) {
  return {mnode, age(mnode.modified, now), age(mnode.accessed, now)};
}

MNode dated(const AgedMNode& aged, TimePoint now) {
  MNode mnode = aged.mnode;
  if (COPAL_MUTANT(kAgesIgnored)) {
    mnode.modified = now;
    mnode.accessed = now;
    return mnode;
  }
  mnode.modified = ago(aged.modified_age, now);
  mnode.accessed = ago(aged.accessed_age, now);
  return mnode;
}

}  // namespace copal
