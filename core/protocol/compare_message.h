#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "core/mnode/owner_order.h"
#include "core/mnode/version.h"
#include "core/protocol/cache_message.h"

// How two triad members find where their m-nodes of one group differ, and make them the same. One
// side asks, the other answers; each question may come twice and is answered again. Rule: R4.

namespace copal {

/// Which comparison, and which of its questions.
struct CompareStep {
  Group group;
  std::uint64_t comparison = 0;  // the asker's number for it
  std::uint32_t step = 0;        // the question's number in it; the answer has the same

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.group);
    visit(self.comparison);
    visit(self.step);
  }
};

/// What a side holds of one cache.
struct CacheSum {
  CacheId cache;
  std::uint64_t sum = 0;  // of its tree; 0: no entries
  Version cleared;        // all entries below this were cleared; kNoVersion: none
  bool idles = false;     // some of its entries have an idle timeout

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.cache);
    visit(self.sum);
    visit(self.cleared);
    visit(self.idles);
  }
};

struct CompareOpen {
  CompareStep at;
  Incarnation incarnation;  // the asker's
  std::uint64_t clock = 0;  // the asker's hybrid clock
  Version horizon;
  Duration uses_within{};  // the asker knows of all uses longer ago than this
  std::vector<CacheSum> caches;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.at);
    visit(self.incarnation);
    visit(self.clock);
    visit(self.horizon);
    visit(self.uses_within);
    visit(self.caches);
  }
};

struct CompareOpened {
  CompareStep at;
  std::uint64_t clock = 0;  // the answerer's, not below the asker's: what both will note
  Version horizon;
  bool ready = false;      // the answerer, for this group (R1.1)
  Duration uses_within{};  // the answerer knows of all uses longer ago than this
  std::vector<CacheSum> caches;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.at);
    visit(self.clock);
    visit(self.horizon);
    visit(self.ready);
    visit(self.uses_within);
    visit(self.caches);
  }
};

/// The asker's 256 sums: of the tree's buckets, or of one bucket's leaves.
struct CompareSums {
  CompareStep at;
  CacheId cache;
  bool of_leaves = false;
  std::uint8_t bucket = 0;      // of_leaves
  std::uint8_t first_leaf = 0;  // of_leaves: from here on; those before are done
  KeyHash after{};              // of_leaves: and so are keys up to this one
  std::vector<std::uint64_t> sums;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.at);
    visit(self.cache);
    visit(self.of_leaves);
    visit(self.bucket);
    visit(self.first_leaf);
    visit(self.after);
    visit(self.sums);
  }
};

struct KeyVersion {
  static constexpr std::size_t kSizeBytes = 48;  // at most, as a message has it

  KeyHash key;
  Version version;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.key);
    visit(self.version);
  }
};

/// Where the answerer's differ. Of leaves: what is in the answerer's, from the first on, as many as
/// one frame takes.
struct CompareDiffer {
  CompareStep at;
  std::bitset<256> differ;
  std::vector<KeyVersion> entries;
  std::uint16_t next_leaf = 256;  // of leaves: `entries` ends before this one
  KeyHash next_after{};           // but has its keys up to this one, if they take more than a frame

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.at);
    visit(self.differ);
    visit(self.entries);
    visit(self.next_leaf);
    visit(self.next_after);
  }
};

struct EntryCopy {
  AgedMNode entry;
  std::string key_text;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.entry);
    visit(self.key_text);
  }
};

/// The asker takes entries, gives others, and has those deleted that it knows to be removed (R4.3).
struct CompareExchange {
  CompareStep at;
  std::vector<KeyHash> take;
  std::vector<EntryCopy> give;
  std::vector<KeyVersion> drop;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.at);
    visit(self.take);
    visit(self.give);
    visit(self.drop);
  }
};

/// Those taken that the answerer still has, from the first on.
struct CompareExchanged {
  CompareStep at;
  std::vector<EntryCopy> taken;
  std::uint16_t looked_up = 0;  // how many of `take` are answered; the others did not fit

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.at);
    visit(self.taken);
    visit(self.looked_up);
  }
};

/// All is done. Both note `agreed` and take the higher horizon.
struct CompareClose {
  CompareStep at;
  std::uint64_t agreed = 0;
  Version horizon;
  bool ready = false;  // the asker was when it began

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.at);
    visit(self.agreed);
    visit(self.horizon);
    visit(self.ready);
  }
};

struct CompareClosed {
  CompareStep at;
  bool known = false;  // the answerer has seen its beginning; else it counts for nothing
  Version horizon;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.at);
    visit(self.known);
    visit(self.horizon);
  }
};

/// When an entry was used last. A use is no version, so no sum shows that one is unknown.
struct KeyUse {
  KeyHash key;
  Duration age{};

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.key);
    visit(self.age);
  }
};

/// The asker's uses of entries of one cache that have an idle timeout, not longer ago than
/// `within`, of keys after one up to another in the tree's order. The answerer takes them and gives
/// its own.
struct CompareUses {
  CompareStep at;
  CacheId cache;
  KeyHash after{};
  KeyHash last{};
  Duration within{};
  std::vector<KeyUse> uses;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.at);
    visit(self.cache);
    visit(self.after);
    visit(self.last);
    visit(self.within);
    visit(self.uses);
  }
};

struct CompareUsed {
  CompareStep at;
  KeyHash last{};  // `uses` ends with this one
  std::vector<KeyUse> uses;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.at);
    visit(self.last);
    visit(self.uses);
  }
};

}  // namespace copal
