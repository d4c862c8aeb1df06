#include <string>

#include "support/catch.hpp"
#include "support/render.hpp"
#include "vipd/config/parse.hpp"
#include "vipd/config/secret.hpp"

using namespace vipd;
using vipd::test::render;

TEST_CASE("secret: values are masked to the end of their line, the rest of the text stays", "[config][secret]") {
  struct Case {
    const char *text, *shown;
  };
  const auto one =
      GENERATE(Case{"auth_pass = \"hunter2\" # x", "auth_pass = ***"}, Case{"\tAuth_Pass=hunter2\r", "\tAuth_Pass=***"},
               Case{"a.b.password = 'hunter2'", "a.b.password = ***"}, Case{"\"pass word\" = 1", "\"pass word\" = ***"},
               Case{"auth_pass \"hunter2\"", "auth_pass ***"}, Case{"auth_pass\"hunter2\"", "auth_pass***"},
               Case{"x = { id = 1, secret = \"hunter2\" }", "x = { id = 1, secret = ***"},
               Case{"secret = \"\"\"hunter2\nhunter3\"\"\"\na = 1", "secret = ***\n***\na = 1"},
               Case{"secret = '''\nhunter3''' # x\na = 1", "secret = ***\n***\n***"},
               Case{"secret = [\"h]\",\n  \"hunter3\"\n]\na = 1", "secret = ***\n***\n***\na = 1"},
               Case{"secret = [\"hunter2\"]\na = 1", "secret = ***\na = 1"},
               Case{"[key.web]\nid = \"hunter2\"\n[instance.a]\nid = 1", "[key.web]\nid = ***\n[instance.a]\nid = 1"},
               Case{"key.web.id = \"hunter2\"", "key.web.id = ***"}, Case{"key = { a = \"hunter2\" }", "key = ***"},
               Case{"hooks.any = [\"/x\", \"auth\", 'b']", "hooks.any = [\"/x\", \"auth\", 'b']"},
               Case{"[instance.secret]\r\nvrid = 5\r\n\r\n", "[instance.secret]\r\nvrid = 5\r\n\r\n"},
               Case{"auth_pass =", "auth_pass ="}, Case{"auth_pass", "auth_pass"}, Case{"", ""}, Case{"\n\n", "\n\n"});
  INFO(one.text);
  CHECK(hide_secrets(one.text) == one.shown);
}

TEST_CASE("secret: no diagnostic shows one, whatever is wrong", "[config][secret]") {
  const auto* const line = GENERATE(
      "auth_pass = \"hunter2\"", "auth_pass = hunter2", "auth_pass = \"hunter2", "auth_pass = 'hunter2",
      "auth_pass = \"hunter2\\q\"", "auth_pass = 0hunter2", "auth_pass \"hunter2\"", "auth_pass: hunter2",
      "auth_pass = \"hunter2\" \"hunter2\"", "auth_pass = [\"hunter2\", hunter2]", "auth_pass = [\"hunter2\"",
      "auth_pass = { x = hunter2 }", "x = { auth_pass = hunter2 }", "auth_pass = \"\"\"hunter2\nhunter2",
      "auth_pass = \"hunter2\"\nauth_pass = \"hunter2\"", "[key.x]\nid = hunter2", "[key.x]\nid = \"hunter2\"",
      "[instance]\nauth_pass = \"hunter2\"", "[node.a.instance]\nauth_pass = \"hunter2\"", "auth_pass = hunter2\xff",
      "[node]\npassword = \"hunter2\"", "auth_pass = 1979-hunter2", "auth_pass = \"hunter2\" =\x01");
  const std::string text =
      "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n" + std::string(line) + "\n";
  const ParsedConfig parsed = parse_config(text);
  CHECK_FALSE(parsed.config.has_value());
  const std::string shown = render(parsed.diagnostics, "f", text, false);
  INFO(text << "\n" << shown);
  CHECK_FALSE(shown.empty());
  CHECK(shown.find("hunter") == std::string::npos);
}

TEST_CASE("secret: the caret stays at the masked value", "[config][secret]") {
  const std::string text = "auth_pass = hunter2\n";
  CHECK(render(parse_config(text).diagnostics, "f", text, false) ==
        "f:1:13: error[syntax]: the value of \"auth_pass\" is not valid (it is a secret and not shown)\n"
        "  1 | auth_pass = ***\n"
        "    |             ^~~\n"
        "  hint: write it in double quotes; see vipd.toml(5)\n");
}
