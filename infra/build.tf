# Cloud Build: what it works with, and, if wanted, when it starts by itself.

locals {
  requirements = var.otlp_endpoint == null ? "requirements.txt" : "requirements-otlp.txt"
  smoke_model  = coalesce(var.smoke_model, "none")
}

# Where `gcloud builds submit` puts the source. The bucket that it would make by itself can only
# be read with a role on the whole project.
resource "google_storage_bucket" "source" {
  name                        = "${var.project_id}-${var.service_name}-build"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true # it holds copies of what is in the repository

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = 7
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_cloudbuild_trigger" "push" {
  count           = var.trigger == null ? 0 : 1
  name            = var.service_name
  location        = var.region
  description     = "Build, try and deploy each push"
  filename        = "cloudbuild.yaml"
  service_account = google_service_account.build.id

  substitutions = {
    _REGION         = var.region
    _SERVICE        = var.service_name
    _API_KEY_SECRET = google_secret_manager_secret.this["api-key"].secret_id
    _REQUIREMENTS   = local.requirements
    _SMOKE_MODEL    = local.smoke_model
  }

  repository_event_config {
    repository = var.trigger.repository
    push {
      branch = var.trigger.branch
    }
  }

  depends_on = [google_project_service.this]
}
