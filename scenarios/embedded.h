#pragma once

#include <string_view>

namespace copal {

/// Returns a file that was built into the program (CMakeLists.txt lists them), empty if there is no
/// such name. name  without folders, such as "schema.json".
std::string_view embedded(std::string_view name);

}  // namespace copal
