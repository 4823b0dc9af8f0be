# What the variables take, and what they refuse.

mock_provider "google" {}

variables {
  project_id = "demo-project"
}

run "a_setting_that_is_not_the_operators_is_refused" {
  command = plan

  variables {
    env = { OPENAI_API_KEY = "hunter2" }
  }
  expect_failures = [var.env]
}

run "a_project_number_is_refused" {
  command = plan

  variables {
    project_id = "123456789012"
  }
  expect_failures = [var.project_id]
}

run "those_who_can_be_called_are_invokers" {
  command = plan

  variables {
    public = false
    invokers = [
      "user:someone@example.com",
      "group:people@example.com",
      "serviceAccount:caller@demo-project.iam.gserviceaccount.com",
      "serviceAccount:123-compute@developer.gserviceaccount.com",
      "serviceAccount:demo-project.svc.id.goog[namespace/account]",
      "principal://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/pool/subject/one",
      "principalSet://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/pool/*",
      "principalSet://iam.googleapis.com/locations/global/workforcePools/pool/group/people",
      "domain:example.com",
    ]
  }
  assert {
    condition     = length(google_cloud_run_v2_service_iam_member.invokers) == 10
    error_message = "Each invoker must be let in, and the build."
  }
}

run "everyone_is_no_invoker" {
  command = plan

  variables {
    public   = false
    invokers = ["allUsers"]
  }
  expect_failures = [var.invokers]
}

run "everyone_with_an_account_is_no_invoker" {
  command = plan

  variables {
    public   = false
    invokers = ["allAuthenticatedUsers"]
  }
  expect_failures = [var.invokers]
}

run "everyone_by_the_newer_name_is_no_invoker" {
  command = plan

  variables {
    public   = false
    invokers = ["principalSet://goog/public:all"]
  }
  expect_failures = [var.invokers]
}

run "everyone_at_gmail_is_no_invoker" {
  command = plan

  variables {
    public   = false
    invokers = ["domain:gmail.com"]
  }
  expect_failures = [var.invokers]
}

run "a_name_without_its_kind_is_no_invoker" {
  command = plan

  variables {
    public   = false
    invokers = ["someone@example.com"]
  }
  expect_failures = [var.invokers]
}

run "a_user_without_a_domain_is_no_invoker" {
  command = plan

  variables {
    public   = false
    invokers = ["user:someone"]
  }
  expect_failures = [var.invokers]
}

run "a_project_s_editors_are_no_invokers" {
  command = plan

  variables {
    public   = false
    invokers = ["projectEditor:demo-project"]
  }
  expect_failures = [var.invokers]
}

run "a_timeout_that_cloud_run_does_not_have_is_refused" {
  command = plan

  variables {
    request_timeout_seconds = 7200
  }
  expect_failures = [var.request_timeout_seconds]
}

run "processors_that_there_are_not_are_refused_once" {
  command = plan

  variables {
    cpu = "3"
  }
  expect_failures = [var.cpu]
}

run "four_processors_with_little_memory_are_refused" {
  command = plan

  variables {
    cpu    = "4"
    memory = "1Gi"
  }
  expect_failures = [var.memory]
}

run "six_processors_with_little_memory_are_refused" {
  command = plan

  variables {
    cpu    = "6"
    memory = "4095Mi"
  }
  expect_failures = [var.memory]
}

run "eight_processors_with_little_memory_are_refused" {
  command = plan

  variables {
    cpu    = "8"
    memory = "2Gi"
  }
  expect_failures = [var.memory]
}

run "less_than_the_second_generation_needs_is_refused" {
  command = plan

  variables {
    cpu    = "1"
    memory = "511Mi"
  }
  expect_failures = [var.memory]
}

run "one_processor_with_much_memory_is_refused" {
  command = plan

  variables {
    cpu    = "1"
    memory = "5Gi"
  }
  expect_failures = [var.memory]
}

run "two_processors_with_much_memory_are_refused" {
  command = plan

  variables {
    cpu    = "2"
    memory = "8193Mi"
  }
  expect_failures = [var.memory]
}

run "four_processors_with_much_memory_are_refused" {
  command = plan

  variables {
    cpu    = "4"
    memory = "17Gi"
  }
  expect_failures = [var.memory]
}

run "six_processors_with_much_memory_are_refused" {
  command = plan

  variables {
    cpu    = "6"
    memory = "25Gi"
  }
  expect_failures = [var.memory]
}

run "more_memory_than_there_is_is_refused" {
  command = plan

  variables {
    cpu    = "8"
    memory = "33Gi"
  }
  expect_failures = [var.memory]
}

run "the_least_memory_of_an_instance_is_taken" {
  command = plan

  variables {
    cpu    = "1"
    memory = "512Mi"
  }
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].resources[0].limits.memory == "512Mi"
    error_message = "Cloud Run takes that."
  }
}

run "the_most_memory_of_one_processor_is_taken" {
  command = plan

  variables {
    cpu    = "1"
    memory = "4Gi"
  }
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].resources[0].limits.memory == "4Gi"
    error_message = "Cloud Run takes that."
  }
}

run "the_least_memory_with_4_processors_is_taken" {
  command = plan

  variables {
    cpu    = "4"
    memory = "2Gi"
  }
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].resources[0].limits.memory == "2Gi"
    error_message = "Cloud Run takes that."
  }
}

run "the_most_memory_with_8_processors_is_taken" {
  command = plan

  variables {
    cpu    = "8"
    memory = "32Gi"
  }
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].resources[0].limits.memory == "32Gi"
    error_message = "Cloud Run takes that."
  }
}

run "cloud_build_cannot_try_what_it_does_not_reach" {
  command = plan

  variables {
    ingress = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  }
  expect_failures = [var.smoke_model]
}
