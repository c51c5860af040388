#pragma once

#include <cstdint>
#include <vector>

#include "core/balance/policy.h"

namespace copal::balance {

/// Hashing by a table of M entries, M prime: table[hash(key) mod M] is the key's server. Each
/// server prefers the entries in an order of its own,
///   (offset + j * skip) mod M,  j = 0, 1, …,  offset and skip from hashes of its node id,
/// and in rounds over the servers each takes the first entry it prefers that is free, in every
/// round if its w is the highest, else in the share w / highest of them; w = weight * share. So
/// entries differ by at most one from their exact parts for equal weights, and a server's coming or
/// going moves few keys beyond its own. Looks at no load.
/// Source: Eisenbud et al., "Maglev: a fast and reliable software network load balancer", NSDI
/// 2016, section 3.4; weights as in Envoy (a turn in a share of the rounds).
/// Chosen: a retry, whose first server is excluded, hashes the key again up to kHashesMax times and
/// then takes the first server of the list: the same key retries at the same server.
class Maglev final : public Policy {
 public:
  /// table_size  M, a prime from 2 to 2^24 (asserted); 100 times the servers keeps parts within 1
  /// %.
  explicit Maglev(std::uint32_t table_size);

  void on_servers(std::span<const ServerView> servers, Now now) override;
  std::optional<std::size_t> choose(const Choice& choice, std::span<const ServerView> servers,
                                    Now now, Random& random) override;

  /// The server of each entry; empty if there is none. For tests and figures.
  std::span<const std::uint16_t> table() const { return table_; }

 private:
  static constexpr std::uint64_t kHashesMax = 16;

  /// One server while the table is filled.
  struct Filler {
    std::uint16_t server = 0;
    std::uint32_t entry = 0;  // preferred next
    std::uint32_t skip = 0;
    double turns = 0;   // that it has saved up
    double weight = 0;  // in parts of the highest
  };

  void fill(std::vector<Filler>& fillers);
  void take_entry(Filler& filler);

  std::uint32_t table_size_;
  std::vector<double> weights_;  // by server, that the table was made from
  std::vector<std::uint16_t> table_;
};

}  // namespace copal::balance
