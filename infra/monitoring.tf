# What is watched: is it up, does it fail, is it slow, can it still get to Gemini.
#
# Fields named jsonPayload.* are those of the gateway's own log lines; a test compares them.

locals {
  # Whatever `ingress` is: checks of the same project to the service's run.app address count as
  # internal, https://cloud.google.com/run/docs/securing/ingress#settings
  checks_uptime = var.uptime_period != null

  channels = concat(
    [for channel in google_monitoring_notification_channel.email : channel.id],
    tolist(var.notification_channels),
  )

  own_filter     = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${var.service_name}\""
  request_filter = "${local.own_filter} AND jsonPayload.event=\"request\""

  # Log lines that are counted; with `value`, whose numbers are collected
  log_metrics = {
    requests = {
      description = "Requests, by what became of them"
      filter      = local.request_filter
      labels      = ["route", "status", "code", "model", "upstream", "fallback"]
    }
    first_byte = {
      description = "Milliseconds to the first byte of an answer; Cloud Run's own latency is that of whole streams"
      filter      = "${local.request_filter} AND jsonPayload.first_byte_ms>=0"
      value       = "first_byte_ms"
      unit        = "ms"
      labels      = ["model", "upstream"]
    }
    total = {
      description = "Milliseconds to the last byte of an answer"
      filter      = "${local.request_filter} AND jsonPayload.total_ms>=0"
      value       = "total_ms"
      unit        = "ms"
      labels      = ["model", "upstream"]
    }
    tokens_in = {
      description = "Tokens of prompts"
      filter      = "${local.request_filter} AND jsonPayload.prompt_tokens>=0"
      value       = "prompt_tokens"
      unit        = "1"
      labels      = ["model", "upstream"]
    }
    tokens_out = {
      description = "Tokens of answers, thoughts included"
      filter      = "${local.request_filter} AND jsonPayload.completion_tokens>=0"
      value       = "completion_tokens"
      unit        = "1"
      labels      = ["model", "upstream"]
    }
    token_refreshes = {
      description = "Access tokens that were got from Google"
      filter      = "${local.own_filter} AND jsonPayload.event=\"token_refreshed\""
      labels      = []
    }
    credentials_refused = {
      description = "Credentials that Google refuses for good"
      filter      = "${local.own_filter} AND jsonPayload.event=\"credentials_refused\""
      labels      = ["code"]
    }
    quota_exhausted = {
      description = "Quotas that were found used up"
      filter      = "${local.own_filter} AND jsonPayload.event=(\"request\" OR \"upstream_closed\") AND jsonPayload.code=\"insufficient_quota\""
      labels      = ["event", "model", "upstream"]
    }
  }

  # What Cloud Run itself counts
  all_responses = "metric.type=\"run.googleapis.com/request_count\" AND ${local.own_filter}"

  # The same in PromQL: names of metrics, and what picks this service
  this_service = "monitored_resource=\"cloud_run_revision\",service_name=\"${var.service_name}\""
  log_series   = "logging_googleapis_com:user_${replace(var.service_name, "-", "_")}"
  responses    = "run_googleapis_com:request_count"
  instances    = "run_googleapis_com:container_instance_count"

  alerts = {
    errors = {
      title    = "more than 5 % of requests fail with a 5xx"
      severity = "ERROR"
      duration = "300s"
      # With a floor of three requests a minute, or a lone failure at night would wake someone.
      query = join(" ", [
        "sum(rate(${local.responses}{${local.this_service},response_code_class=\"5xx\"}[5m]))",
        "/ sum(rate(${local.responses}{${local.this_service}}[5m])) > 0.05",
        "and sum(rate(${local.responses}{${local.this_service}}[5m])) > 0.05",
      ])
      advice = "`make logs` shows what fails; the field `code` says why. If it began with a new revision, `make rollback REVISION=…` goes back to the one before."
    }
    first_byte = {
      title    = "one request in twenty waits more than ${var.first_byte_alert_seconds} s for its first byte"
      severity = "WARNING"
      duration = "600s"
      query = join(" ", [
        "histogram_quantile(0.95, sum by (le)",
        "(rate(${local.log_series}_first_byte_bucket{${local.this_service}}[10m])))",
        "> ${var.first_byte_alert_seconds * 1000}",
      ])
      advice = "The dashboard shows which model and upstream. `first_byte_alert_seconds` is the limit, for models that think for longer."
    }
    instances = {
      title    = "all ${var.max_instances} instances are busy"
      severity = "WARNING"
      duration = "300s"
      query    = "sum(${local.instances}{${local.this_service},state=\"active\"}) >= ${var.max_instances}"
      advice   = "Requests that find no place are refused with 429 soon. Raise `max_instances`, which is the limit on costs, too."
    }
  }

  # One line is enough for these. A rate would need two, and these may come once and never again.
  log_alerts = {
    credentials = {
      title    = "Google refuses the credentials"
      severity = "CRITICAL"
      filter   = local.log_metrics.credentials_refused.filter
      advice   = "With the code `credentials_revoked` the login is over, and a new one is needed: `make credentials PROJECT=${var.project_id}`. Running instances take it up by themselves."
    }
    quota = {
      title    = "a quota is used up"
      severity = "WARNING"
      filter   = local.log_metrics.quota_exhausted.filter
      advice   = "The dashboard shows of which model and upstream. A second one in `upstreams` takes over; ENABLE_AUTO_MODEL_SWITCHING in `env` lets a smaller model do so."
    }
  }
}

resource "google_monitoring_notification_channel" "email" {
  for_each     = var.alert_emails
  display_name = each.value
  type         = "email"
  labels       = { email_address = each.value }
  depends_on   = [google_project_service.this]
}

resource "google_logging_metric" "this" {
  for_each        = local.log_metrics
  name            = "${var.service_name}_${each.key}"
  description     = each.value.description
  filter          = each.value.filter
  value_extractor = try("EXTRACT(jsonPayload.${each.value.value})", null)

  label_extractors = { for label in each.value.labels : label => "EXTRACT(jsonPayload.${label})" }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = can(each.value.value) ? "DISTRIBUTION" : "INT64"
    unit        = try(each.value.unit, "1")

    dynamic "labels" {
      for_each = each.value.labels
      content {
        key        = labels.value
        value_type = "STRING"
      }
    }
  }

  # From 1 to a million, each a third wider than the one before
  dynamic "bucket_options" {
    for_each = can(each.value.value) ? [1] : []
    content {
      exponential_buckets {
        num_finite_buckets = 49
        growth_factor      = 1.33
        scale              = 1
      }
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_uptime_check_config" "ready" {
  count        = local.checks_uptime ? 1 : 0
  display_name = "${var.service_name} is ready"
  period       = var.uptime_period
  timeout      = "10s"

  http_check {
    path         = "/ready"
    port         = 443
    use_ssl      = true
    validate_ssl = true

    accepted_response_status_codes {
      status_value = 200
    }

    dynamic "service_agent_authentication" {
      for_each = var.public ? [] : [1]
      content {
        type = "OIDC_TOKEN"
      }
    }
  }

  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.project_id
      host       = trimprefix(google_cloud_run_v2_service.this.uri, "https://")
    }
  }
}

resource "google_monitoring_alert_policy" "uptime" {
  count                 = local.checks_uptime ? 1 : 0
  display_name          = "${var.service_name}: not ready"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels

  conditions {
    display_name = "two regions get no 200 from /ready"
    condition_threshold {
      filter          = "metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND resource.type=\"uptime_url\" AND metric.labels.check_id=\"${google_monitoring_uptime_check_config.ready[0].uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "60s"

      aggregations {
        alignment_period     = "1200s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
      }

      trigger {
        count = 1
      }
    }
  }

  documentation {
    content   = "What `curl ${google_cloud_run_v2_service.this.uri}/ready` answers says what is wrong, and what to do."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "this" {
  # With one instance at most, all of them are busy whenever somebody asks.
  for_each              = { for name, alert in local.alerts : name => alert if name != "instances" || var.max_instances > 1 }
  display_name          = "${var.service_name}: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels

  conditions {
    display_name = each.value.title
    condition_prometheus_query_language {
      query                     = each.value.query
      duration                  = each.value.duration
      evaluation_interval       = "60s"
      disable_metric_validation = true # there are no such metrics until the first line is logged
    }
  }

  alert_strategy {
    auto_close = "3600s"
  }

  documentation {
    content   = each.value.advice
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.this]
}

resource "google_monitoring_alert_policy" "log" {
  for_each              = local.log_alerts
  display_name          = "${var.service_name}: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels

  conditions {
    display_name = each.value.title
    condition_matched_log {
      filter = each.value.filter
    }
  }

  alert_strategy {
    auto_close = "3600s"
    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    content   = each.value.advice
    mime_type = "text/markdown"
  }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_service" "this" {
  service_id   = var.service_name
  display_name = var.service_name

  basic_service {
    service_type = "CLOUD_RUN"
    service_labels = {
      service_name = google_cloud_run_v2_service.this.name
      location     = google_cloud_run_v2_service.this.location
    }
  }
}

resource "google_monitoring_slo" "availability" {
  service             = google_monitoring_service.this.service_id
  slo_id              = "availability"
  display_name        = "${var.slo_goal * 100} % of requests in 28 days do not fail with a 5xx"
  goal                = var.slo_goal
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      total_service_filter = local.all_responses
      bad_service_filter   = "${local.all_responses} AND metric.labels.response_code_class=\"5xx\""
    }
  }
}

resource "google_monitoring_dashboard" "this" {
  dashboard_json = templatefile("${path.module}/dashboard.json.tftpl", {
    name      = var.service_name
    picked    = local.this_service
    logged    = local.log_series
    responses = local.responses
    instances = local.instances
    prices    = var.token_prices
  })
  depends_on = [google_logging_metric.this]
}

resource "google_billing_budget" "this" {
  count           = var.budget == null ? 0 : 1
  billing_account = var.budget.billing_account
  display_name    = var.service_name

  budget_filter {
    projects = ["projects/${data.google_project.this[0].number}"]
  }

  amount {
    specified_amount {
      units = tostring(var.budget.amount)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }

  depends_on = [google_project_service.this]
}
