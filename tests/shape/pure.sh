#!/bin/bash
# The pure libraries call no clock, no socket, no file, no process and no log.
set -euo pipefail

forbidden='clock_(gettime|nanosleep)|gettimeofday|time|times|nanosleep|usleep|sleep|timerfd_.*'
forbidden+='|socket|bind|connect|listen|accept4?|send(to|m?msg)?|recv(from|m?msg)?|[sg]etsockopt|ioctl|poll|epoll_.*|select'
forbidden+='|open(at)?(64)?|f(re)?open(64)?|creat(64)?|read|write|pread(64)?|pwrite(64)?|unlink|rename|mkdir|stat|fstat'
forbidden+='|fork|vfork|execv.*|posix_spawnp?|system|kill|signal|sigaction|pthread_create|getenv|rand|random|getrandom'
forbidden+='|syslog|sd_.*|mnl_.*'
forbidden_cxx='std::chrono::.*::now\(|std::basic_[io]?fstream|std::(cout|cerr|clog)$|std::random_device|spdlog::|std::thread::'

status=0
for name in base vrrp config; do
  library=$1/libvipd_$name.a
  symbols=$(nm --undefined-only "$library" | awk 'NF == 2 { sub("@.*", "", $2); print $2 }' | sort -u)
  [ -n "$symbols" ] || { echo "$library: no symbols"; exit 1; }
  found=$(grep -x -E "$forbidden" <<<"$symbols"; c++filt <<<"$symbols" | grep -E "$forbidden_cxx") || true
  [ -z "$found" ] || { echo "$library is not pure, it uses:"; echo "$found"; status=1; }
done
[ $status != 0 ] || echo "base, vrrp and config are pure"
exit $status
