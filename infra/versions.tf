terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.0"
    }
  }

  # `make bootstrap` makes the bucket and names it: terraform init -backend-config=bucket=...
  backend "gcs" {}
}

provider "google" {
  project        = var.project_id
  region         = var.region
  default_labels = merge(var.labels, { app = var.service_name })

  # The budget's API wants to know which project the caller's requests count against.
  user_project_override = var.budget == null ? null : true
  billing_project       = var.budget == null ? null : var.project_id
}
