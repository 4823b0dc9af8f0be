# `terraform test` plays Google: what the module makes of its variables.

mock_provider "google" {
  mock_resource "google_cloud_run_v2_service" {
    defaults = { uri = "https://gemini-gateway-abc-uc.a.run.app" }
  }

  mock_resource "google_service_account" {
    defaults = {
      id     = "projects/demo-project/serviceAccounts/someone@demo-project.iam.gserviceaccount.com"
      name   = "projects/demo-project/serviceAccounts/someone@demo-project.iam.gserviceaccount.com"
      email  = "someone@demo-project.iam.gserviceaccount.com"
      member = "serviceAccount:someone@demo-project.iam.gserviceaccount.com"
    }
  }

  mock_resource "google_monitoring_dashboard" {
    defaults = { id = "projects/123/dashboards/abc" }
  }

  mock_data "google_project" {
    defaults = { number = "123456789" }
  }
}

variables {
  project_id = "demo-project"
}

run "only_the_project_is_needed" {
  command = apply

  assert {
    condition     = output.url == "https://gemini-gateway-abc-uc.a.run.app"
    error_message = "The address is not the service's."
  }
  assert {
    condition     = google_monitoring_uptime_check_config.ready[0].monitored_resource[0].labels.host == "gemini-gateway-abc-uc.a.run.app"
    error_message = "The uptime check asks another host."
  }
  assert {
    condition     = output.dashboard == "https://console.cloud.google.com/monitoring/dashboards/builder/abc?project=demo-project"
    error_message = "The dashboard's address is wrong."
  }
  assert {
    condition     = output.image == "us-central1-docker.pkg.dev/demo-project/gemini-gateway/gateway"
    error_message = "The images' address is wrong."
  }
  assert {
    condition     = strcontains(google_project_iam_member.runtime_firestore[0].condition[0].expression, "\"projects/demo-project/databases/gemini-gateway\"")
    error_message = "The service may use more than its own database."
  }
  assert {
    condition     = length(google_secret_manager_secret_iam_member.runtime_adds_version) == 0
    error_message = "The service may write a secret without being asked to."
  }
  assert {
    condition     = toset(keys(google_secret_manager_secret_iam_member.runtime_reads)) == toset(["api-key"])
    error_message = "Vertex AI needs no secret of Google's."
  }
}

run "the_gateway_ends_a_request_before_cloud_run_cuts_it" {
  command = plan

  variables {
    request_timeout_seconds = 900
  }
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].timeout == "900s" && local.own_env.REQUEST_DEADLINE_SECONDS == "870"
    error_message = "The gateway's deadline must be half a minute before Cloud Run's."
  }
}

run "a_private_service_is_asked_with_an_identity" {
  command = plan

  variables {
    public   = false
    invokers = ["group:people@example.com"]
  }
  assert {
    condition     = google_cloud_run_v2_service.this.invoker_iam_disabled == false
    error_message = "Cloud Run must ask who calls."
  }
  assert {
    condition     = google_monitoring_uptime_check_config.ready[0].http_check[0].service_agent_authentication[0].type == "OIDC_TOKEN"
    error_message = "The uptime check must say who it is."
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_member.uptime_invokes[0].member == "serviceAccount:service-123456789@gcp-sa-monitoring-notification.iam.gserviceaccount.com"
    error_message = "The uptime check must be let in."
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_member.invokers["group:people@example.com"].role == "roles/run.invoker"
    error_message = "Invokers must be let in."
  }
}

run "an_internal_service_is_asked_at_the_address_that_lets_checks_in" {
  command = apply

  variables {
    ingress     = "INGRESS_TRAFFIC_INTERNAL_ONLY"
    smoke_model = null
  }
  assert {
    condition     = endswith(google_monitoring_uptime_check_config.ready[0].monitored_resource[0].labels.host, ".run.app") && length(google_monitoring_alert_policy.uptime) == 1
    error_message = "Uptime checks count as internal at the run.app address of a service of the same project."
  }
}

run "nobody_asks_whether_it_is_ready_without_a_period" {
  command = plan

  variables {
    uptime_period = null
  }
  assert {
    condition     = length(google_monitoring_uptime_check_config.ready) == 0 && length(google_monitoring_alert_policy.uptime) == 0
    error_message = "Without a period there is no check."
  }
}

run "without_firestore_there_is_no_database_and_no_role" {
  command = plan

  variables {
    token_cache = "memory"
  }
  assert {
    condition     = length(google_firestore_database.this) == 0 && length(google_project_iam_member.runtime_firestore) == 0
    error_message = "Memory needs no database."
  }
  assert {
    condition     = output.database == null && !contains(keys(local.own_env), "FIRESTORE_DATABASE")
    error_message = "There is no database to name."
  }
}

run "each_way_to_gemini_brings_its_secret_and_its_role" {
  command = plan

  variables {
    upstreams = ["code_assist", "gemini_api"]
  }
  assert {
    condition     = length(google_project_iam_member.runtime_vertex) == 0
    error_message = "Without Vertex AI no role is needed for it."
  }
  assert {
    condition     = local.own_env.GCP_SERVICE_ACCOUNT == "sm://gemini-gateway-oauth-credentials" && local.own_env.GEMINI_API_KEY == "sm://gemini-gateway-gemini-api-key"
    error_message = "The service must be told where its secrets are."
  }
}

run "protection_can_be_taken_off" {
  command = plan

  variables {
    deletion_protection = false
  }
  assert {
    condition     = !google_cloud_run_v2_service.this.deletion_protection && google_firestore_database.this[0].delete_protection_state == "DELETE_PROTECTION_DISABLED" && !google_secret_manager_secret.this["api-key"].deletion_protection
    error_message = "Something stays protected."
  }
}

run "alerts_reach_old_channels_and_new_ones" {
  command = plan

  variables {
    alert_emails          = ["someone@example.com"]
    notification_channels = ["projects/demo-project/notificationChannels/1"]
  }
  assert {
    condition     = length(google_monitoring_notification_channel.email) == 1 && contains(var.notification_channels, "projects/demo-project/notificationChannels/1")
    error_message = "A channel is missing."
  }
}

run "one_instance_is_always_all_of_them" {
  command = plan

  variables {
    max_instances = 1
  }
  assert {
    condition     = !contains(keys(google_monitoring_alert_policy.this), "instances")
    error_message = "That alert would never end."
  }
}
