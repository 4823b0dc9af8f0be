output "url" {
  description = "Base address; OpenAI clients use <url>/v1."
  value       = google_cloud_run_v2_service.this.uri
}

output "service" {
  description = "Name of the Cloud Run service."
  value       = google_cloud_run_v2_service.this.name
}

output "region" {
  description = "Where it runs."
  value       = var.region
}

output "image" {
  description = "Where cloudbuild.yaml puts images, without tag and digest."
  value       = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.this.repository_id}/gateway"
}

output "requirements" {
  description = "Which lock file the image is made from: cloudbuild.yaml's _REQUIREMENTS."
  value       = local.requirements
}

output "smoke_model" {
  description = "Which model a new revision is asked before it gets requests: cloudbuild.yaml's _SMOKE_MODEL."
  value       = local.smoke_model
}

output "alerts_tell" {
  description = "Who is told when an alert fires, separated by commas; empty for nobody."
  value       = join(",", concat(tolist(var.alert_emails), tolist(var.notification_channels)))
}

output "api_key_secret" {
  description = "Secret with the keys that clients present, separated by commas."
  value       = google_secret_manager_secret.this["api-key"].secret_id
}

output "oauth_secret" {
  description = "Secret with the login for Code Assist; null where that is not used."
  value       = local.uses_code_assist ? google_secret_manager_secret.this["oauth-credentials"].secret_id : null
}

output "gemini_api_key_secret" {
  description = "Secret with the key of the Gemini Developer API; null where that is not used."
  value       = local.uses_gemini_api ? google_secret_manager_secret.this["gemini-api-key"].secret_id : null
}

output "database" {
  description = "Name of the Firestore database; null without one."
  value       = one(google_firestore_database.this[*].name)
}

output "runtime_service_account" {
  description = "Who the service is, for roles in other projects."
  value       = google_service_account.runtime.email
}

output "build_service_account" {
  description = "For gcloud builds submit --service-account."
  value       = google_service_account.build.id
}

output "build_bucket" {
  description = "For gcloud builds submit --gcs-source-staging-dir."
  value       = google_storage_bucket.source.name
}

output "dashboard" {
  description = "Address of the dashboard."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${basename(google_monitoring_dashboard.this.id)}?project=${var.project_id}"
}
