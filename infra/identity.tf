# Who the gateway and the build are, and all that they may do.

resource "google_service_account" "runtime" {
  account_id   = "${var.service_name}-run"
  display_name = "${var.service_name}: the running service"
  depends_on   = [google_project_service.this]
}

resource "google_service_account" "build" {
  account_id   = "${var.service_name}-build"
  display_name = "${var.service_name}: builds and deploys"
  depends_on   = [google_project_service.this]
}

# The service reads its own secrets ...
resource "google_secret_manager_secret_iam_member" "runtime_reads" {
  for_each  = local.used_secrets
  secret_id = google_secret_manager_secret.this[each.key].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.runtime.member
}

resource "google_secret_manager_secret_iam_member" "runtime_adds_version" {
  count     = var.allow_refresh_token_writeback ? 1 : 0
  secret_id = google_secret_manager_secret.this["oauth-credentials"].secret_id
  role      = "roles/secretmanager.secretVersionAdder"
  member    = google_service_account.runtime.member
}

# ... and uses its own database, which cannot be granted on the database itself ...
resource "google_project_iam_member" "runtime_firestore" {
  count   = local.uses_firestore ? 1 : 0
  project = var.project_id
  role    = "roles/datastore.user"
  member  = google_service_account.runtime.member

  condition {
    title       = "only-${google_firestore_database.this[0].name}"
    description = "The gateway's own database, and no other"
    expression  = "resource.type == \"firestore.googleapis.com/Database\" && resource.name == \"projects/${var.project_id}/databases/${google_firestore_database.this[0].name}\""
  }
}

# ... and Vertex AI, whose models are no resources that a role could be granted on ...
resource "google_project_iam_member" "runtime_vertex" {
  count   = local.uses_vertex ? 1 : 0
  project = var.project_id
  role    = "roles/aiplatform.user"
  member  = google_service_account.runtime.member
}

# ... and sends its telemetry, where it is told to. Its logs need no role.
resource "google_project_iam_member" "runtime_telemetry" {
  for_each = toset(var.otlp_endpoint == null ? [] : [
    "roles/cloudtrace.agent",
    "roles/monitoring.metricWriter",
  ])
  project = var.project_id
  role    = each.value
  member  = google_service_account.runtime.member
}

# The build pushes to one repository, updates one service, runs it as one identity, and reads
# what was uploaded. It cannot change who may call the service.
resource "google_artifact_registry_repository_iam_member" "build_pushes" {
  repository = google_artifact_registry_repository.this.name
  location   = google_artifact_registry_repository.this.location
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

resource "google_cloud_run_v2_service_iam_member" "build_deploys" {
  name     = google_cloud_run_v2_service.this.name
  location = google_cloud_run_v2_service.this.location
  role     = "roles/run.developer"
  member   = google_service_account.build.member
}

resource "google_service_account_iam_member" "build_acts_as_runtime" {
  service_account_id = google_service_account.runtime.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.build.member
}

resource "google_storage_bucket_iam_member" "build_reads_source" {
  bucket = google_storage_bucket.source.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}

resource "google_project_iam_member" "build_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}

# The smoke test asks the new revision something before it gets traffic, as any client would.
resource "google_secret_manager_secret_iam_member" "build_reads_key" {
  secret_id = google_secret_manager_secret.this["api-key"].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.build.member
}

# Where Cloud Run asks callers who they are
resource "google_cloud_run_v2_service_iam_member" "invokers" {
  for_each = var.public ? {} : merge(
    { for member in var.invokers : member => member },
    { build = google_service_account.build.member },
  )
  name     = google_cloud_run_v2_service.this.name
  location = google_cloud_run_v2_service.this.location
  role     = "roles/run.invoker"
  member   = each.value
}

# ... the smoke test has to say so, too, for which an account needs leave to make its own identity tokens.
resource "google_service_account_iam_member" "build_says_who_it_is" {
  count              = var.public ? 0 : 1
  service_account_id = google_service_account.build.name
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = google_service_account.build.member
}

resource "google_cloud_run_v2_service_iam_member" "uptime_invokes" {
  count    = !var.public && local.checks_uptime ? 1 : 0
  name     = google_cloud_run_v2_service.this.name
  location = google_cloud_run_v2_service.this.location
  role     = "roles/run.invoker"
  member   = "serviceAccount:service-${data.google_project.this[0].number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"

  # Google makes that account with the first check that needs it.
  depends_on = [google_monitoring_uptime_check_config.ready]
}
