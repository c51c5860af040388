# Joins the files of each folder, a few at a time, into what the compiler takes as one: half of its
# work on a file is what the file includes. So the names in the anonymous namespaces of a folder's
# sources differ, and so do those of its tests (the compiler and .ci/check_joined.py look). Few at a
# time: one changed file is still compiled in some seconds. The presets debug and clang don't join,
# so every file is seen to compile and to work alone as well.
option(COPAL_JOIN "Compile several files of a folder as one" ON)

function(copal_join target)
  if(NOT COPAL_JOIN)
    return()
  endif()
  set(joined_max 8)
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${CMAKE_SOURCE_DIR})
    cmake_path(GET source PARENT_PATH folder)
    string(MAKE_C_IDENTIFIER "${folder}" folder)
    if(NOT DEFINED ${folder}_count)
      set(${folder}_count 0)
    endif()
    math(EXPR part "${${folder}_count} / ${joined_max}")
    math(EXPR ${folder}_count "${${folder}_count} + 1")
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${folder}_${part})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
