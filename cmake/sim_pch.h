#pragma once

#include "cmake/core_pch.h"

#include <fstream>
#include <map>
#include <sstream>
#include <unordered_map>

#include <nlohmann/json.hpp>
