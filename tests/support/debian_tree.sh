# shellcheck shell=bash
# Small Debian trees, for tests that need a machine of its own. To be sourced where the project's root is.

# The archive from which this machine takes its packages. It has the other releases, too.
debian_mirror() {
  local codename=$1
  # shellcheck disable=SC2016  # apt fills these in
  apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk -v codename="$codename" '$1 == codename { print $2; exit }'
}

# debian_tree CODENAME INCLUDED PACKAGE...: sets $tree to a tree of that release that has these packages. It is made
# once and kept in build/trees. INCLUDED is a list with commas for debootstrap(8); apt installs the other packages.
debian_tree() {
  local codename=$1 included=$2 here proxy=''
  shift 2
  here=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  tree=$PWD/build/trees/$codename-$(sha256sum <<<"$included $*" | cut -c1-12)
  [ ! -d "$tree" ] || return 0
  echo "making a Debian tree ($codename), once"
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  [ -z "$proxy" ] || export http_proxy=$proxy
  rm -rf "$tree.new"
  mkdir -p "$tree.new"
  {
    debootstrap --variant=minbase ${included:+--include="$included"} "$codename" "$tree.new" "$(debian_mirror "$here")" &&
      DEBIAN_FRONTEND=noninteractive chroot "$tree.new" apt-get -q -y --no-install-recommends install "$@" &&
      chroot "$tree.new" apt-get clean
  } >"$tree.log" 2>&1 || { tail -n 20 "$tree.log" >&2; echo "FAILED: no Debian tree, see $tree.log" >&2; exit 1; }
  mv "$tree.new" "$tree"
}
