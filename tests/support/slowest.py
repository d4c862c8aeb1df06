#!/usr/bin/env python3
"""slowest.py JUNIT_FILE: the ten tests of ctest that took longest, with their seconds."""
import sys
import xml.etree.ElementTree as ElementTree

cases = [(float(case.get("time")), case.get("name")) for case in ElementTree.parse(sys.argv[1]).iter("testcase")]
print("The slowest, in seconds:")
for seconds, name in sorted(cases, reverse=True)[:10]:
    print(f"  {seconds:6.1f}  {name}")
