// vipd-check: one run of a built-in check, for vipd-runner. A program of its own, since what HTTP needs is larger than
// all the rest, and would be in memory for as long as vipd-runner is.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "vipd/checker/checker.hpp"

int main(int argc, char* argv[]) {
  try {
    return vipd::run_check(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return 2;
  }
}
