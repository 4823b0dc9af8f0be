# The images. The last ten stay, whatever their age, to roll back to.

resource "google_artifact_registry_repository" "this" {
  repository_id          = var.service_name
  location               = var.region
  format                 = "DOCKER"
  description            = "Images of ${var.service_name}"
  cleanup_policy_dry_run = false

  cleanup_policies {
    id     = "keep-the-last-ten"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }

  cleanup_policies {
    id     = "delete-after-a-month"
    action = "DELETE"
    condition {
      tag_state  = "ANY"
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.this]
}
