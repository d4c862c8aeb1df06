#!/bin/bash
# The newest entry of both changelogs is the version of CMakeLists.txt.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

version=$(sed -n 's/^project(vipd VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
package=$(sed -n '1s/^vipd (\([^)]*\)).*/\1/p' packaging/deb/changelog)
changelog=$(sed -n 's/^## \([0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)
echo "CMakeLists.txt: $version, packaging/deb/changelog: $package, CHANGELOG.md: $changelog"
[ -n "$version" ] && [ "$package" = "$version" ] && [ "$changelog" = "$version" ]
