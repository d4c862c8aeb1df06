// vipd-check: runs a built-in check once, for vipd-runner. It is a program of its own since HTTP needs large libraries,
// which would otherwise stay in the memory of vipd-runner.
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
