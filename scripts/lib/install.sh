# What the tests need on the machine. Sourced by scripts/test.

need_go() {
  command -v go >/dev/null || die "Go is not on the PATH: install the version that go.mod names, or a newer one"
  local version
  version=$(go version) || die "this Go can't build the module: $(go version 2>&1 | tail -n 1)"
  printf '%s\n' "$version"
}

need_node() {
  command -v node >/dev/null && command -v npm >/dev/null ||
    die "Node and npm are not on the PATH: the tests drive real npm clients (scripts/test --quick does without)"
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  ((major >= 20)) || die "Node $(node --version) is too old for the clients under test: 20 or newer is needed"
  printf 'node %s, npm %s\n' "$(node --version)" "$(npm --version 2>/dev/null)"
}

# install_packages installs packages of Debian's, where that can be done.
install_packages() {
  local sudo=()
  ((EUID == 0)) || sudo=(sudo -n)
  command -v apt-get >/dev/null &&
    "${sudo[@]}" apt-get -q update >/dev/null 2>&1 &&
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "$@" >/dev/null 2>&1
}

# The action for workflows is a script around curl, and its tests run it.
need_curl() {
  command -v curl >/dev/null && return
  printf "The action's tests need curl: installing it.\n"
  install_packages curl && return
  [[ ${CI:-} != true ]] || die "there is no curl, and it could not be installed"
  note "no curl, so the action's script is not tested (apt-get install curl)"
}

# The race detector is linked with C. Where there is no compiler and none can be had, the tests still
# run without it, but never silently in CI.
race=-race
need_compiler_for_race() {
  if [[ $quick == yes ]]; then
    race=
    return
  fi
  export CGO_ENABLED=1
  command -v "$(go env CC)" >/dev/null && return
  printf 'The race detector needs a C compiler: installing gcc.\n'
  install_packages gcc libc6-dev && return
  [[ ${CI:-} != true ]] || die "no C compiler for the race detector, and it could not be installed"
  unset CGO_ENABLED
  race=
  note "no C compiler, so the tests run without the race detector (apt-get install gcc libc6-dev)"
}

# The S3 server that tests of S3 run against is built from the Go module proxy, once, into .cache. It is done here since the
# tests with clients have no network to fetch it from. Without it those tests are skipped, or fail in CI.
install_s3_server() {
  local log=.cache/s3-server.log
  mkdir -p .cache
  if ! go test -v -count=1 -run '^TestInstalled$' ./store/s3/s3test >"$log" 2>&1; then
    cat "$log"
    return 1
  fi
  if grep -q -e '--- SKIP' "$log"; then
    cat "$log"
    skip_note="it could not be built, and tests that need it are skipped"
  fi
}

# The stamp is written last, so an install that was cut short is done again.
install_clients() {
  local dir=scripts/clients stamp=scripts/clients/node_modules/.installed want
  want=$(cat "$dir/package.json" "$dir/package-lock.json" "$dir/.npmrc" <(node -p 'process.platform + process.arch') | sha256sum)
  (
    # Two runs in one checkout must not install over each other.
    exec 9<"$dir/package-lock.json"
    flock 9 2>/dev/null || true
    if [[ -f $stamp && $(<"$stamp") == "$want" ]]; then
      printf 'already installed\n'
      exit 0
    fi
    printf 'installing npm 10, 11 and 12, pnpm 10 and 12, yarn 1 and 4, bun: about 180 MB\n'
    # A registry may drop one connection of many; npm itself checks every hash in the lock file.
    (cd "$dir" && { npm ci --loglevel=error || npm ci --loglevel=error; }) || exit 1
    printf '%s\n' "$want" >"$stamp"
  )
}
