// Catch2 is 2.13 on Debian 12 and 3.x on Debian 13; tests include this header and none of Catch2's own.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
