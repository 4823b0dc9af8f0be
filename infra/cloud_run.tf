# The service: its shape. Image and traffic belong to Cloud Build, which alone changes them.

locals {
  own_env = merge(
    {
      GOOGLE_CLOUD_PROJECT     = var.project_id
      UPSTREAMS                = join(",", var.upstreams)
      VERTEX_LOCATION          = var.vertex_location
      TOKEN_CACHE              = var.token_cache
      REQUEST_DEADLINE_SECONDS = tostring(var.request_timeout_seconds - 30)
    },
    local.uses_firestore ? {
      FIRESTORE_DATABASE   = google_firestore_database.this[0].name
      FIRESTORE_COLLECTION = local.collections.tokens
    } : {},
    { for key, name in local.used_secrets : name => "sm://${google_secret_manager_secret.this[key].secret_id}" },
    var.otlp_endpoint == null ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT = var.otlp_endpoint },
  )

  reserved_env = toset([
    # Cloud Run's
    "PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION",
    # made from variables of this module
    "GOOGLE_CLOUD_PROJECT", "UPSTREAMS", "VERTEX_LOCATION", "TOKEN_CACHE", "FIRESTORE_DATABASE",
    "FIRESTORE_COLLECTION", "REQUEST_DEADLINE_SECONDS", "OTEL_EXPORTER_OTLP_ENDPOINT",
    # secrets
    "OPENAI_API_KEY", "GCP_SERVICE_ACCOUNT", "GEMINI_API_KEY", "OAUTH_CLIENT_SECRET",
  ])

  # How much memory Cloud Run gives to so many processors, in MiB; 512 is the second generation's
  # https://cloud.google.com/run/docs/configuring/services/cpu and, beside it, memory-limits
  memory_bounds = {
    "1" = { least = 512, most = 4096 }
    "2" = { least = 512, most = 8192 }
    "4" = { least = 2048, most = 16384 }
    "6" = { least = 4096, most = 24576 }
    "8" = { least = 4096, most = 32768 }
  }
}

resource "google_cloud_run_v2_service" "this" {
  name                 = var.service_name
  location             = var.region
  ingress              = var.ingress
  invoker_iam_disabled = var.public
  deletion_protection  = var.deletion_protection

  template {
    service_account                  = google_service_account.runtime.email
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    timeout                          = "${var.request_timeout_seconds}s"
    max_instance_request_concurrency = var.concurrency

    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }

    containers {
      name  = "gateway" # or gcloud makes one up, and the next apply takes it away
      image = var.image

      ports {
        name           = "http1"
        container_port = 8080
      }

      resources {
        limits            = { cpu = var.cpu, memory = var.memory }
        cpu_idle          = true # billed while there are requests
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = merge(var.env, local.own_env)
        content {
          name  = env.key
          value = env.value
        }
      }

      # Once a second: Cloud Run sends requests as soon as one succeeds.
      startup_probe {
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 60
        http_get {
          path = "/health"
        }
      }

      # Whether the process is alive, and no more: a failure kills every stream there is.
      liveness_probe {
        period_seconds    = 30
        timeout_seconds   = 5
        failure_threshold = 3
        http_get {
          path = "/health"
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [
      client,
      client_version,
      traffic,
      template[0].revision,
      template[0].labels,
      template[0].annotations,
      template[0].containers[0].image,
    ]
  }

  depends_on = [
    google_secret_manager_secret_iam_member.runtime_reads,
    google_project_iam_member.runtime_firestore,
    google_project_iam_member.runtime_vertex,
    google_project_iam_member.runtime_telemetry,
  ]
}
