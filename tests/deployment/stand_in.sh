#!/bin/sh
# Stands in for gcloud, terraform, docker, curl and make: the name that it is called by says for which. Writes
# down each call, fails where it is told to, and remembers what was made in the folder $STAND_IN.
name=${0##*/}
{ printf '%s\037' "$name" "$@"; echo; } >>"$STAND_IN/calls"
case "$name $*" in
  *"${FAILS:-nothing}"*) echo 'a failure of the stand-in' >&2; exit 1 ;;
esac
cd "$STAND_IN" || exit 1
case "$name $*" in
  'gcloud storage buckets create '*) touch bucket ;;
  'gcloud storage buckets list '*) ! [ -e bucket ] || echo my-project-tfstate ;;
  'gcloud auth print-access-token'*) echo an-access-token ;;
  'gcloud auth print-identity-token '*) echo an-identity-token ;;
  'gcloud secrets versions list '*) ! [ -e "version-of-$4" ] || echo 1 ;;
  'gcloud secrets versions add '*) cat >"version-of-$4" ;;
  'gcloud secrets versions access latest '*) cat version-of-gemini-gateway-api-key ;;
  'gcloud config get-value account '*) echo a-build@my-project.iam.gserviceaccount.com ;;
  'gcloud run services list '*) echo europe-west1 ;;
  'gcloud run services describe '*) echo https://gateway.example ;;
  'gcloud run deploy '*) echo gemini-gateway-00002-abc ;;
  'terraform -chdir=infra apply '*) touch applied ;;
  'terraform -chdir=infra output '*) ! [ -e applied ] || cat outputs ;;
  'terraform -chdir=infra show '*) cat state ;;
  'docker inspect '*) echo "us-central1-docker.pkg.dev/my-project/gemini-gateway/gateway@sha256:abc" ;;
  'curl '*'/serviceAccounts/a-build@my-project.iam.gserviceaccount.com:generateIdToken')
    printf '{\n  "token": "an-identity-token"\n}\n'
    ;;
  'curl '*)
    # the real one, and the gateway of the test where the new revision would be
    for argument; do
      case $argument in
        https://candidate---gateway.example/*) argument=$GATEWAY/${argument#https://*/} ;;
      esac
      set -- "$@" "$argument"
      shift
    done
    exec "$CURL" "$@"
    ;;
esac
