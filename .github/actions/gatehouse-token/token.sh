#!/usr/bin/env bash
# Exchanges the job's ID token for one that reads from a gatehouse registry, and tells npm, pnpm and bun to use it.
#
# It leaves the token in the variable GATEHOUSE_TOKEN of the steps that follow and in the output "token". .npmrc gets the name of the variable and not the
# token. Secrets go to curl by its standard input: everybody on a machine can read the arguments of a program.
set -euo pipefail

# fail says why in one line: the runner takes a line that begins with :: for a command, and the registry's answers are in some.
fail() {
  local text=$*
  text=${text//[$'\r\n']/ }
  echo "::error::$text"
  exit 1
}

registry=${GATEHOUSE_REGISTRY:?the address of the registry is missing}
[[ $registry =~ ^https?://[^/@?#]+(/[^@?#]*)?$ ]] || fail "the registry must be an address such as https://npm.example.org/"
registry=${registry%/}/
authority=${registry#*://}
host=${authority%%/*}
if [[ $host != \[* ]]; then
  host=${host%%:*}
fi
if [[ $registry == http://* && $host != localhost && $host != 127.0.0.1 ]]; then
  fail "the registry must be https: a token is sent there"
fi
[[ -n ${ACTIONS_ID_TOKEN_REQUEST_URL:-} && -n ${ACTIONS_ID_TOKEN_REQUEST_TOKEN:-} ]] ||
  fail 'this job gets no ID token: give it "permissions: id-token: write". Pull requests from forks never get one'

# ask METHOD ADDRESS BEARER prints the answer, and fails with it if it is a refusal.
ask() {
  local answer status
  answer=$(printf 'header = "Authorization: Bearer %s"\n' "$3" |
    curl --silent --show-error --max-time 30 --retry 2 --request "$1" --write-out '\n%{http_code}' --config - "$2") || fail "no answer from ${2%%\?*}"
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  [[ $status == 2* ]] || fail "${2%%\?*} answers $status: ${answer:0:500}"
  printf '%s' "$answer"
}

# field NAME reads a text of a JSON object without anything to be unescaped in it, as tokens are.
field() {
  sed -n "s/.*\"$1\" *: *\"\([^\"\\\\]*\)\".*/\1/p"
}

audience=${GATEHOUSE_AUDIENCE:-npm:$host}
answer=$(ask GET "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$audience" "$ACTIONS_ID_TOKEN_REQUEST_TOKEN") || { echo "$answer"; exit 1; }
id=$(field value <<<"$answer")
[[ $id =~ ^[0-9A-Za-z._-]+$ ]] || fail "GitHub gave no ID token"
echo "::add-mask::$id"
answer=$(ask POST "${registry}-/gatehouse/oidc/token" "$id") || { echo "$answer"; exit 1; }
token=$(field token <<<"$answer")
[[ $token =~ ^gth_[0-9A-Za-z]+$ ]] || fail "the registry gave no token"
echo "::add-mask::$token"

echo "token=$token" >>"${GITHUB_OUTPUT:-/dev/null}"
echo "GATEHOUSE_TOKEN=$token" >>"${GITHUB_ENV:-/dev/null}"
npmrc=${NPM_CONFIG_USERCONFIG:-$HOME/.npmrc}
{
  [[ ! -s $npmrc ]] || echo # the last line may have no end
  for scope in ${GATEHOUSE_SCOPES:-}; do
    echo "@${scope#@}:registry=$registry"
  done
  # shellcheck disable=SC2016 # npm puts the variable in
  echo "//$authority:_authToken=\${GATEHOUSE_TOKEN}"
} >>"$npmrc"
echo "This job may install from $registry for an hour."
