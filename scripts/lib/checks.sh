# The checks themselves. Sourced by scripts/test.

check_format() {
  local files
  files=$(find . \( -name node_modules -o -name '.?*' \) -prune -o -name '*.go' -print0 | xargs -0 gofmt -l) || return 1
  [[ -z $files ]] && return
  printf 'not formatted (gofmt -w mends it):\n%s\n' "$files"
  return 1
}

# Known vulnerabilities are judged by Go's public database, which some networks do not reach: then the
# check says so and is skipped, within a bounded time. It runs from its own module, not from go.mod, so
# that what it depends on does not become what gatehouse depends on.
govulncheck=golang.org/x/vuln/cmd/govulncheck@v1.8.0
check_vulnerabilities() {
  local bin=$PWD/.cache/bin/${govulncheck##*@} log=$PWD/.cache/govulncheck.log
  mkdir -p "$bin"
  if [[ ! -x $bin/govulncheck ]] && ! GOBIN=$bin GOFLAGS= timeout 180 go install "$govulncheck" >"$log" 2>&1; then
    tail -n 1 "$log"
    skip_note="govulncheck could not be downloaded"
    return 0
  fi
  # A small package first: it tells within seconds whether the database answers.
  local code=0
  timeout 20 "$bin/govulncheck" ./scopes >"$log" 2>&1 || code=$?
  if ((code == 124)) || grep -q 'fetching vulnerabilities' "$log"; then
    skip_note="database out of reach"
    return 0
  fi
  timeout 300 "$bin/govulncheck" ./...
}

# Each test runs even if nothing changed since the last time: what clients do is not in Go's test cache.
run_tests() {
  local flags=(-count=1 -timeout=25m)
  [[ -z $race ]] || flags+=("$race")
  [[ $quick == no ]] || flags=(-short -timeout=5m)
  # A soak may take longer than any of Go's timeouts would allow.
  [[ -z $soak ]] || { flags+=(-timeout=0); export TEST_SOAK=$soak; }
  mkdir -p .cache
  go build -o .cache/testreport scripts/lib/testreport.go || return 1
  # The report decides: it knows a failed build, a failed test and, in CI, a skipped one.
  go test -json "${flags[@]}" ./... 2>&1 | .cache/testreport "-quick=$([[ $quick == yes ]] && echo true || echo false)"
}

# What each target says is kept in .cache/fuzz, and an input that it fails for in the testdata of its package.
run_fuzz_targets() {
  local package target log code=0
  mkdir -p .cache/fuzz
  while read -r package target; do
    printf -- '--- %s %s\n' "$package" "$target"
    log=.cache/fuzz/$target.log
    if ! go test -run='^$' -fuzz="^$target\$" -fuzztime="$1" "$package" 2>&1 | tee "$log"; then
      if only_the_end "$log"; then
        printf 'the time was over: that is no failure (golang/go#75804)\n'
      else
        code=1
      fi
    fi
  done < <(go test -list='^Fuzz' ./... | awk '/^Fuzz/ { names[++n] = $1 } /^ok/ { for (i = 1; i <= n; i++) print $2, names[i]; n = 0 }')
  return "$code"
}

# Up to Go 1.26 a busy machine makes the end of the time itself into a failure, with no word but this and no input.
only_the_end() {
  grep -qx '    context deadline exceeded' "$1" && ! grep -Eq '_test\.go:|Failing input|panic|race' "$1"
}
