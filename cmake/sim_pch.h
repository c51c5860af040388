#pragma once

#include "cmake/core_pch.h"

#include <deque>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <unordered_map>

// Most of sim/ has to do with nodes. No JSON: the seven files that write it would save less than
// all others lose.
#include "core/node/node.h"
