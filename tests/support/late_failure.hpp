/// late_failure: failures that cannot be reported to Catch2.
///
/// A destructor must not throw, threads must not call Catch2, and a program beside the tests has no Catch2. Their
/// failures are printed at once, and the test program ends with status 1 even if every test case passed. (ctest runs
/// each test case as a program of its own.)
#pragma once

#include <string>

namespace vipd {

/// Prints a failure and makes the program fail. Any thread may call it.
void fail_late(const std::string& what);

/// The number of failures so far.
int late_failures();

}  // namespace vipd
