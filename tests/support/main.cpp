// The translation unit with Catch2's session, for versions 2 and 3.
#include <iostream>

#include "support/late_failure.hpp"

#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

int main(int argc, char* argv[]) {
  const int result = Catch::Session().run(argc, argv);
  if (vipd::late_failures() > 0) std::cerr << vipd::late_failures() << " late failures, see above\n";
  return result == 0 && vipd::late_failures() > 0 ? 1 : result;
}
