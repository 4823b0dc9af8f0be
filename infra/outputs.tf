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

output "image_repository" {
  description = "Where cloudbuild.yaml pushes images."
  value       = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.this.repository_id}"
}

output "secrets" {
  description = "Names of the secrets to add versions to."
  value       = { for key, secret in google_secret_manager_secret.this : key => secret.secret_id }
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
