# Where secrets are kept, without the secrets: `make deploy` adds a key and `make credentials` a
# login, so that no value passes through Terraform and its state.

locals {
  # All of them always: one that is protected could not go when nobody uses it any more.
  secrets = {
    api-key           = "Keys that clients present, separated by commas"
    oauth-credentials = "The login for Code Assist: client_id, client_secret, refresh_token"
    gemini-api-key    = "The key of the Gemini Developer API"
  }

  # What the service is told of, and may read
  used_secrets = merge(
    { api-key = "OPENAI_API_KEY" },
    local.uses_code_assist ? { oauth-credentials = "GCP_SERVICE_ACCOUNT" } : {},
    local.uses_gemini_api ? { gemini-api-key = "GEMINI_API_KEY" } : {},
  )
}

resource "google_secret_manager_secret" "this" {
  for_each            = local.secrets
  secret_id           = "${var.service_name}-${each.key}"
  annotations         = { description = each.value }
  version_destroy_ttl = "604800s" # a version destroyed by mistake can be had back for a week
  deletion_protection = var.deletion_protection

  replication {
    auto {}
  }

  depends_on = [google_project_service.this]
}
