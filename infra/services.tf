# The Google APIs that the rest needs. To destroy this leaves them on: others may use them.

locals {
  uses_vertex      = contains(var.upstreams, "vertex")
  uses_code_assist = contains(var.upstreams, "code_assist")
  uses_gemini_api  = contains(var.upstreams, "gemini_api")
  uses_firestore   = var.token_cache == "firestore"

  services = toset(concat(
    [
      "artifactregistry.googleapis.com",
      "cloudbuild.googleapis.com",
      "cloudresourcemanager.googleapis.com",
      "iam.googleapis.com",
      "iamcredentials.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "run.googleapis.com",
      "secretmanager.googleapis.com",
      "storage.googleapis.com",
    ],
    local.uses_vertex ? ["aiplatform.googleapis.com"] : [],
    local.uses_firestore ? ["firestore.googleapis.com"] : [],
    var.otlp_endpoint == null ? [] : ["cloudtrace.googleapis.com"],
    var.budget == null ? [] : ["billingbudgets.googleapis.com"],
  ))
}

resource "google_project_service" "this" {
  for_each           = local.services
  service            = each.value
  disable_on_destroy = false
}

# Some names contain the project's number.
data "google_project" "this" {
  count      = var.budget == null && var.public ? 0 : 1
  project_id = var.project_id
  depends_on = [google_project_service.this]
}
