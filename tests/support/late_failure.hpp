/// late_failure: what is found where Catch2 cannot be told.
///
/// A destructor must not throw, threads must not call Catch2, and a program beside the tests has no Catch2. What they
/// find is printed at once, and the test program ends with status 1 even if every test case passed. (ctest runs each
/// test case as a program of its own.)
#pragma once

#include <string>

namespace vipd {

/// Prints what was found and has the program fail. Any thread may call it.
void fail_late(const std::string& what);

/// How often that was.
int late_failures();

}  // namespace vipd
