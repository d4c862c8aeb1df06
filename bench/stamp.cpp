// vipd-stamp FILE [STATUS]: appends the time of its first instruction to a file, in ns since 1970, and exits with
// STATUS.
#include <cstdio>
#include <cstdlib>
#include <ctime>

int main(int argc, char** argv) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  std::FILE* file = argc > 1 ? std::fopen(argv[1], "a") : nullptr;
  if (file == nullptr) return 99;
  std::fprintf(file, "%lld\n", static_cast<long long>(now.tv_sec) * 1'000'000'000 + now.tv_nsec);
  std::fclose(file);
  return argc > 2 ? std::atoi(argv[2]) : 0;
}
