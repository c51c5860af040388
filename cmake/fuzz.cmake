# Fuzz targets: every fuzz_*.cpp of the tree, a program of its own named like the file. Only clang
# has libFuzzer, so they are built by the preset `fuzz` alone and run by `.ci/long fuzz`.
option(COPAL_FUZZ "Build the fuzz targets (clang only)" OFF)
if(NOT COPAL_FUZZ)
  return()
endif()
file(GLOB_RECURSE fuzz_sources CONFIGURE_DEPENDS
     core/fuzz_*.cpp scenarios/fuzz_*.cpp sim/fuzz_*.cpp)
add_custom_target(fuzz_targets)
foreach(source IN LISTS fuzz_sources)
  cmake_path(GET source STEM name)
  add_executable(${name} ${source})
  # A target of the core must not need more than the core.
  if(source MATCHES "^${CMAKE_SOURCE_DIR}/core/")
    target_link_libraries(${name} PRIVATE copal_core)
  else()
    target_link_libraries(${name} PRIVATE copal_sim_lib)
  endif()
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzz_targets ${name})
endforeach()
