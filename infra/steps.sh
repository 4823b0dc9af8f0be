# shellcheck shell=bash
# How a command says what it does: in steps that have a name, the last of which is the one that failed.
# deploy.sh reads it.

say() {
  printf '%s\n' "$@"
}

step_name=''

begin() {
  step_name=$1
  printf '==> %s\n' "$1"
}

step() {
  begin "$1"
  shift
  "$@" || failed
}

# shellcheck disable=SC2120 # deploy.sh passes arguments
failed() {
  fail "This step failed: $step_name." "$@"
}

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

usage() {
  printf '%s\n' "$@" >&2
  exit 2
}

need() {
  command -v "$1" >/dev/null || usage "$1 is not installed: $2"
}
