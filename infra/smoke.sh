#!/usr/bin/env bash
# Asks a revision that gets no requests yet what its clients are going to ask: whether it is ready,
# for the models, and for one word. cloudbuild.yaml runs it; by hand:
#
#   PROJECT=... REGION=... SERVICE=... infra/smoke.sh [TAG]
set -euo pipefail

tag=${1:-candidate}
key_secret=${API_KEY_SECRET:-$SERVICE-api-key}
model=${SMOKE_MODEL:-gemini-3.5-flash} # none: nothing is asked, as where nobody outside gets in
tries=${TRIES:-20} # three seconds apart: the first instance has to start

main() {
  local base key token
  if [ "$model" = none ]; then
    echo 'No model is named to try it with: it gets requests because it has started.'
    return
  fi
  base=$(gcloud run services describe "$SERVICE" --project="$PROJECT" --region="$REGION" \
    --format='value(status.url)')
  url=https://$tag---${base#https://}
  key=$(gcloud secrets versions access latest --secret="$key_secret" --project="$PROJECT")
  # A service that Cloud Run itself protects wants to know who asks; any other ignores it. The
  # token is for the service, whatever the tag.
  token=$(identity "$base")
  headers=$(printf 'x-api-key: %s\nX-Serverless-Authorization: Bearer %s\n' "${key%%,*}" "$token")

  echo "Asking $tag of $SERVICE at $url"
  ask ready /ready --retry "$tries" --retry-delay 3 --retry-all-errors
  ask models /v1/models
  ask chat /v1/chat/completions --header 'Content-Type: application/json' --data \
    "{\"model\": \"$model\", \"messages\": [{\"role\": \"user\", \"content\": \"Say ok.\"}]}"
  echo 'It works.'
}

# Prints an identity token for the address $1: a service account's own, as Cloud Build hands it out;
# one that the account makes for itself, where the metadata server has none; or a person's.
identity() {
  local account
  gcloud auth print-identity-token --audiences="$1" --quiet 2>/dev/null && return
  account=$(gcloud config get-value account --quiet 2>/dev/null) || account=
  made_by_itself "$account" "$1" && return
  gcloud auth print-identity-token --quiet 2>/dev/null || true
}

# Not by gcloud's --impersonate-service-account, which needs a role that lets it do more than this.
made_by_itself() {
  local access_token answer
  access_token=$(gcloud auth print-access-token --quiet 2>/dev/null) || return 1
  answer=$(curl --silent --fail --max-time 20 --header 'Content-Type: application/json' \
    --header @<(printf 'Authorization: Bearer %s\n' "$access_token") \
    --data "{\"audience\": \"$2\", \"includeEmail\": true}" \
    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/$1:generateIdToken") || return 1
  printf '%s' "$answer" | sed -n 's/.*"token": *"\([^"]*\)".*/\1/p' | grep .
}

# The headers go in by a file descriptor: an argument can be read by every process.
ask() {
  local what=$1 path=$2 answer
  shift 2
  if ! answer=$(curl --silent --show-error --fail-with-body --max-time 120 \
    --header @<(printf '%s\n' "$headers") "$@" "$url$path"); then
    printf '%s: failed\n%s\n' "$what" "$answer" >&2
    echo "Requests go on to the revision before. /ready says what is missing; make credentials adds a login," \
      "and Terraform's smoke_model names another model than $model." >&2
    exit 1
  fi
  echo "$what: ok"
}

main
