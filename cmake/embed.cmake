# copal_embed(<target> <file>…): puts files into a library as they are. Each can be had in C++ as
# copal::embedded("<name without folders>"), see scenarios/embedded.h.
function(copal_embed target)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/${target})
  file(MAKE_DIRECTORY ${generated})
  set(assembly "")
  set(table "")
  set(externs "")
  set(paths "")
  set(index 0)
  foreach(file IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} OUTPUT_VARIABLE path)
    cmake_path(GET path FILENAME name)
    list(APPEND paths ${path})
    string(APPEND assembly "  .global copal_file_${index}\ncopal_file_${index}:\n"
                           "  .incbin \"${path}\"\n"
                           "  .global copal_file_${index}_end\ncopal_file_${index}_end:\n"
                           "  .byte 0\n")
    string(APPEND externs "extern const char copal_file_${index}[], copal_file_${index}_end[];\n")
    set(size "copal_file_${index}_end - copal_file_${index}")
    string(APPEND table "  if (name == \"${name}\") return {copal_file_${index}, "
                        "static_cast<std::size_t>(${size})};\n")
    math(EXPR index "${index} + 1")
  endforeach()
  file(CONFIGURE OUTPUT ${generated}/files.S CONTENT
    "  .section .rodata\n${assembly}  .section .note.GNU-stack,\"\",%progbits\n" @ONLY)
  file(CONFIGURE OUTPUT ${generated}/table.cpp CONTENT
"#include \"scenarios/embedded.h\"
extern \"C\" {
${externs}}
namespace copal {
std::string_view embedded(std::string_view name) {
${table}  return {};
}
}  // namespace copal
" @ONLY)
  set_source_files_properties(${generated}/files.S PROPERTIES OBJECT_DEPENDS "${paths}")
  add_library(${target} STATIC ${generated}/files.S ${generated}/table.cpp)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR})
endfunction()
