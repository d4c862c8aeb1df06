#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "vipd/checker/checker.hpp"

namespace vipd {
namespace {

constexpr std::size_t kMostOfBody = 1 << 20;

/// Keeps the beginning of the body and drops the rest.
std::size_t keep(char* data, std::size_t, std::size_t size, void* body) {
  auto& text = *static_cast<std::string*>(body);
  text.append(data, std::min(size, kMostOfBody - text.size()));
  return size;
}

bool is_expected(long got, long wanted) { return wanted == 0 ? got >= 200 && got < 400 : got == wanted; }

}  // namespace

Answer check_http(const std::string& url, const std::string& status, const std::string& text) {
  const std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)> handle(::curl_easy_init(), ::curl_easy_cleanup);
  if (!handle) return failure("cannot initialise libcurl");
  std::string body;
  CURL* const curl = handle.get();
  ::curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  ::curl_easy_setopt(curl, CURLOPT_USERAGENT, "vipd");
  ::curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
  ::curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  if (const CURLcode error = ::curl_easy_perform(curl); error != CURLE_OK)
    return failure(std::string(::curl_easy_strerror(error)));
  long got = 0;
  ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &got);
  if (!is_expected(got, std::stol(status))) return failure("status " + std::to_string(got));
  if (body.find(text) == std::string::npos) return failure("the body does not contain the text");
  return "";
}

}  // namespace vipd
