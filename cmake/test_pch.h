#pragma once

#include "cmake/core_pch.h"

#include <gtest/gtest.h>
