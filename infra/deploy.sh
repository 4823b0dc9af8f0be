#!/usr/bin/env bash
# What the Makefile's commands for Google Cloud do, step by step; README, "Deploy", explains them.
#
#   PROJECT=... [REGION=...] [SERVICE=...] [APPROVE=true] infra/deploy.sh COMMAND
#
# Each step says what it is about to do. One that fails ends the command with its name, and the
# command can be run again: what is there already is left as it is. Works with bash 3.2 (macOS).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=infra/steps.sh
. infra/steps.sh

: "${PROJECT:=}" "${REGION:=}" "${SERVICE:=gemini-gateway}" "${REVISION:=}" "${APPROVE:=}" "${LIMIT:=100}"
state_bucket=$PROJECT-tfstate
new_key='' # an API key that was made and not shown yet

main() {
  case ${1:-} in
    bootstrap | deploy | plan | destroy | credentials | rollback | logs) ;;
    *) usage 'Name one command: bootstrap, deploy, plan, destroy, credentials, rollback, logs.' ;;
  esac
  [ -n "$PROJECT" ] || usage "PROJECT names the Google Cloud project, as in: make $1 PROJECT=my-project"
  need gcloud 'https://cloud.google.com/sdk/docs/install'
  case $1 in
    bootstrap | deploy | plan | destroy) need terraform 'https://developer.hashicorp.com/terraform/install' ;;
  esac
  refuse_what_is_said_twice
  trap show_key EXIT
  "$1"
}

# --- commands ---------------------------------------------------------------------------------

bootstrap() {
  log_in
  make_state_bucket
  open_state
  know_region
  apply
  say "All is there but the gateway itself: $SERVICE runs Google's hello image until make deploy."
}

deploy() {
  log_in
  make_state_bucket
  open_state
  know_region
  apply
  read_outputs
  make_key
  look_for "$login_secret" "make credentials PROJECT=$PROJECT SERVICE=$SERVICE"
  look_for "$gemini_key_secret" "printf %s \"\$GEMINI_API_KEY\" | \
    gcloud secrets versions add $gemini_key_secret --project=$PROJECT --data-file=-"
  build
  show_key
  how_to_use
  [ -n "$told" ] || say '' 'When an alert fires, nobody is told yet: README, "Alerts".'
}

plan() {
  log_in
  find_state_bucket || fail "No bucket $state_bucket in $PROJECT: nothing has been deployed." \
    "Begin with: make bootstrap PROJECT=$PROJECT"
  open_state
  know_region
  step 'show what would change, and change nothing' infrastructure plan -input=false
}

destroy() {
  log_in
  find_state_bucket || fail "No bucket $state_bucket in $PROJECT: there is nothing to destroy."
  open_state
  know_region
  refuse_if_protected
  if [ "$APPROVE" = true ]; then
    step "destroy everything that belongs to $SERVICE" infrastructure destroy -input=false -auto-approve
  else
    step "destroy everything that belongs to $SERVICE" infrastructure destroy
  fi
  say "What is left is the bucket with Terraform's state. Other services may be in it; to delete it:"
  say "  gcloud storage rm gs://$state_bucket --recursive"
}

credentials() {
  local document
  begin "complete the Gemini CLI's login with its OAuth client"
  document=$(.venv/bin/python -m service credentials import) || failed
  [ -n "$document" ] || failed
  begin "add it as a new version to the secret $SERVICE-oauth-credentials"
  printf '%s' "$document" | gcloud secrets versions add "$SERVICE-oauth-credentials" \
    --project="$PROJECT" --data-file=- || failed
  say 'Running instances read it within a minute.'
}

rollback() {
  find_region
  if [ -z "$REVISION" ]; then
    step "list the revisions of $SERVICE" gcloud run revisions list --service="$SERVICE" \
      --project="$PROJECT" --region="$REGION" --limit=20
    usage "Which of them? make rollback PROJECT=$PROJECT REVISION=..."
  fi
  step "send all requests to $REVISION" gcloud run services update-traffic "$SERVICE" \
    --project="$PROJECT" --region="$REGION" --to-revisions="$REVISION=100"
  say "It stays so until the next make deploy."
}

logs() {
  find_region
  # `gcloud run services logs read` breaks on lines that are JSON.
  local of="resource.type=cloud_run_revision resource.labels.service_name=$SERVICE"
  step "read the newest $LIMIT lines of $SERVICE's log" gcloud logging read \
    "$of resource.labels.location=$REGION" --project="$PROJECT" --limit="$LIMIT" \
    --format='value(timestamp,severity,jsonPayload.message,jsonPayload.code,textPayload)'
}

# --- steps ------------------------------------------------------------------------------------

# These three also name the state, the build and what is looked for, so that there is one place for them.
refuse_what_is_said_twice() {
  local file
  for file in infra/terraform.tfvars infra/*.auto.tfvars; do
    if [ -e "$file" ] && grep -qE '^[[:space:]]*(project_id|region|service_name)[[:space:]]*=' "$file"; then
      usage "$file must not set project_id, region or service_name. Take them out, and say" \
        'PROJECT=..., REGION=... and SERVICE=... instead.'
    fi
  done
}

# Terraform uses gcloud's login, unless it was told of another: so that one login is enough.
log_in() {
  local token
  begin "log in to $PROJECT"
  gcloud projects describe "$PROJECT" --format='value(projectId)' >/dev/null ||
    failed 'Is the name right, and is somebody logged in? gcloud auth login'
  if [ -z "${GOOGLE_APPLICATION_CREDENTIALS:-}${GOOGLE_OAUTH_ACCESS_TOKEN:-}" ]; then
    token=$(gcloud auth print-access-token) || failed 'Log in with: gcloud auth login'
    export GOOGLE_OAUTH_ACCESS_TOKEN=$token
  fi
}

# A bucket's name is taken for the whole world. Only one that is in the project is trusted.
find_state_bucket() {
  local name
  begin "look for Terraform's state, gs://$state_bucket"
  name=$(gcloud storage buckets list --project="$PROJECT" --filter="name=$state_bucket" \
    --format='value(name)') || failed
  [ -n "$name" ]
}

make_state_bucket() {
  step 'switch on the APIs that Terraform itself needs' gcloud services enable \
    cloudresourcemanager.googleapis.com iam.googleapis.com serviceusage.googleapis.com \
    storage.googleapis.com --project="$PROJECT"
  find_state_bucket ||
    step "make the bucket gs://$state_bucket for Terraform's state" \
      gcloud storage buckets create "gs://$state_bucket" --project="$PROJECT" \
      --location="${REGION:-us-central1}" --uniform-bucket-level-access --public-access-prevention
  step 'keep that bucket private, and its old versions for a month' gcloud storage buckets update \
    "gs://$state_bucket" --uniform-bucket-level-access --public-access-prevention --versioning \
    --lifecycle-file=infra/state-lifecycle.json
}

open_state() {
  # reconfigure: another project may have been deployed from here before
  step "open Terraform's state" terraform -chdir=infra init -input=false -reconfigure \
    -backend-config="bucket=$state_bucket" -backend-config="prefix=$SERVICE"
}

# A service that is moved is a service that is destroyed, so that a forgotten REGION must not do it.
know_region() {
  local there
  begin 'read in which region it is'
  outputs=$(terraform -chdir=infra output -no-color) || failed
  there=$(output region)
  if [ -n "$there" ] && [ -n "$REGION" ] && [ "$REGION" != "$there" ]; then
    fail "$SERVICE is in $there, not in $REGION." \
      "To have it in both, give the other a name: SERVICE=$SERVICE-2 REGION=$REGION"
  fi
  REGION=${REGION:-${there:-us-central1}}
}

# Without changes Terraform asks nothing. With changes it shows them and asks; where nobody is
# there to answer it fails, unless APPROVE=true says that any change will do.
apply() {
  if [ "$APPROVE" = true ]; then
    step "make and change what infra/ says, in $REGION" infrastructure apply -input=false -auto-approve
  else
    step "make and change what infra/ says, in $REGION" infrastructure apply
  fi
}

infrastructure() {
  local verb=$1
  shift
  terraform -chdir=infra "$verb" "$@" -var="project_id=$PROJECT" -var="region=$REGION" \
    -var="service_name=$SERVICE"
}

read_outputs() {
  begin 'read what was made'
  outputs=$(terraform -chdir=infra output -no-color) || failed
  url=$(output url) key_secret=$(output api_key_secret) requirements=$(output requirements)
  requirements=${requirements:-requirements.txt} smoke_model=$(output smoke_model) told=$(output alerts_tell)
  builder=$(output build_service_account) bucket=$(output build_bucket)
  login_secret=$(output oauth_secret) gemini_key_secret=$(output gemini_api_key_secret)
  [ -n "$url" ] && [ -n "$key_secret" ] && [ -n "$builder" ] && [ -n "$bucket" ] ||
    failed 'Terraform has no such outputs.'
  builder=projects/$PROJECT/serviceAccounts/${builder##*/}
}

# One line of `terraform output`: name = "value"
output() {
  printf '%s\n' "$outputs" | sed -n "s/^$1 = \"\\(.*\\)\"\$/\\1/p"
}

make_key() {
  local versions
  begin "look for an API key in the secret $key_secret"
  versions=$(versions_of "$key_secret") || failed
  if [ -z "$versions" ]; then
    begin 'make an API key there'
    new_key=sk-$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n') || failed
    printf '%s' "$new_key" | gcloud secrets versions add "$key_secret" --project="$PROJECT" \
      --data-file=- || { new_key=''; failed; }
  fi
}

# One that only the operator has. Gemini may be asked in another way, so that it is no failure.
look_for() {
  local secret=$1 remedy=$2 versions
  [ -n "$secret" ] || return 0
  begin "look for a version of the secret $secret"
  versions=$(versions_of "$secret") || failed
  [ -n "$versions" ] ||
    say 'There is none. Until there is, Gemini is not asked in that way:' "  $remedy"
}

versions_of() {
  gcloud secrets versions list "$1" --project="$PROJECT" --filter=state=ENABLED --limit=1 \
    --format='value(name)'
}

build() {
  local tag
  tag=$(git describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null) ||
    tag=$(date -u +%Y%m%d-%H%M%S)
  begin 'test, build, deploy, try and switch over, in Cloud Build'
  say 'Its log is at the address that follows. It takes about ten minutes.'
  gcloud builds submit . \
    --project="$PROJECT" --region="$REGION" --config=cloudbuild.yaml \
    --service-account="$builder" --gcs-source-staging-dir="gs://$bucket/source" \
    --substitutions="_REGION=$REGION,_SERVICE=$SERVICE,_API_KEY_SECRET=$key_secret,_REQUIREMENTS=$requirements,_SMOKE_MODEL=$smoke_model,_TAG=$tag" || {
    say '' 'The log of the build is at the address above, or here, with the newest line first:' \
      "  gcloud logging read resource.type=build --project=$PROJECT --limit=100 --format='value(textPayload)'"
    failed 'The revision before, if there is one, goes on serving.'
  }
}

# The provider refuses, too, but only when half of everything is gone.
refuse_if_protected() {
  local state
  begin 'look whether it is protected'
  state=$(terraform -chdir=infra show -json) || failed
  case $state in
    *'"deletion_protection":true'* | *'"DELETE_PROTECTION_ENABLED"'* | *'"deletion_policy":"PREVENT"'*)
      fail "$SERVICE is protected from being destroyed. If that is what you want, say so first:" \
        "  TF_VAR_deletion_protection=false make bootstrap PROJECT=$PROJECT SERVICE=$SERVICE" \
        '(unless infra/terraform.tfvars sets deletion_protection, which wins)' ;;
  esac
}

# For what needs no Terraform
find_region() {
  [ -z "$REGION" ] || return 0
  begin "look where $SERVICE is"
  REGION=$(gcloud run services list --project="$PROJECT" --filter="metadata.name=$SERVICE" \
    --format='value(metadata.labels."cloud.googleapis.com/location")' --limit=2) || failed
  case $REGION in
    '') fail "There is no service $SERVICE in $PROJECT." ;;
    *[[:space:]]*) usage "$SERVICE is in several regions. Say which: REGION=..." ;;
  esac
}

# --- what is said -----------------------------------------------------------------------------

# Once, whatever comes after: nothing else shows it to a person who does not ask Secret Manager.
show_key() {
  [ -z "$new_key" ] || say '' "The API key, shown this once: $new_key"
  new_key=''
}

how_to_use() {
  local model=$smoke_model
  [ "$model" != none ] || model=gemini-3.5-flash
  cat <<TEXT

The gateway answers at $url/v1. To use it:

export OPENAI_BASE_URL=$url/v1
export OPENAI_API_KEY=\$(gcloud secrets versions access latest --secret=$key_secret --project=$PROJECT | cut -d, -f1)
python3 -m venv ~/try-gateway
~/try-gateway/bin/pip install openai
~/try-gateway/bin/python - <<'PYTHON'
from openai import OpenAI

answer = OpenAI().chat.completions.create(
    model="$model",
    messages=[{"role": "user", "content": "Hello!"}],
)
print(answer.choices[0].message.content)
PYTHON
TEXT
}

main "$@"
