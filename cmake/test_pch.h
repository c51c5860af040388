#pragma once

#include "cmake/core_pch.h"

#include <deque>
#include <map>
#include <set>
#include <unordered_map>

#include <gtest/gtest.h>

#include "core/protocol/effect.h"
