# Steps: each runs, is timed, and is remembered for the summary. A failed one does not stop the others,
# so that one run shows everything there is to mend. Sourced by scripts/test.

step_lines=() failed_steps=0 skip_note=

# step NAME COMMAND...: a command may set skip_note to say that it could not do its work here.
step() {
  local name=$1 from=$SECONDS outcome=ok
  shift
  skip_note=
  printf '\n==> %s\n' "$name"
  if ! "$@"; then
    outcome=FAILED
    failed_steps=$((failed_steps + 1))
  elif [[ -n $skip_note ]]; then
    outcome="skipped: $skip_note"
  fi
  step_lines+=("$(printf '%-24s %4ds  %s' "$name" $((SECONDS - from)) "$outcome")")
  printf '    %s: %s (%d s)\n' "$name" "$outcome" $((SECONDS - from))
}

# note TEXT: something the reader of the summary should know.
note() {
  step_lines+=("note: $1")
  printf 'note: %s\n' "$1"
}

die() {
  printf 'scripts/test: %s\n' "$1" >&2
  exit 1
}

stop_if_failed() {
  ((failed_steps == 0)) || summary
}

summary() {
  printf '\n==> Summary\n'
  printf '    %s\n' "${step_lines[@]}"
  printf '    %-24s %4ds\n' total "$SECONDS"
  if ((failed_steps > 0)); then
    printf '\nFAILED: %d of the steps above\n' "$failed_steps"
    exit 1
  fi
  printf '\nAll good.\n'
  exit 0
}
