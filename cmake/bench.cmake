# Micro-benchmarks; their columns carry units.
find_package(benchmark REQUIRED)

add_executable(policy_bench bench/policy_bench.cpp core/testing/allocation_count.cpp)
target_link_libraries(policy_bench PRIVATE copal_core benchmark::benchmark)
add_executable(cache_bench bench/cache_bench.cpp core/testing/allocation_count.cpp
                           bench/small_cluster.cpp)
target_link_libraries(cache_bench PRIVATE copal_core OpenSSL::Crypto benchmark::benchmark)
add_executable(eviction_bench bench/eviction_bench.cpp core/testing/allocation_count.cpp)
target_link_libraries(eviction_bench PRIVATE copal_sim_lib)
add_executable(sim_bench bench/sim_bench.cpp)
target_link_libraries(sim_bench PRIVATE copal_sim_lib PkgConfig::SIMGRID benchmark::benchmark)
