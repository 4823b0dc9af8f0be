# What and where

variable "project_id" {
  description = "The Google Cloud project that everything is made in."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is the project's id (6 to 30 lower-case letters, digits and hyphens), not its number or display name."
  }
}

variable "region" {
  description = "Where the service, the images and, unless firestore_location says otherwise, the database are."
  type        = string
  default     = "us-central1"
}

variable "service_name" {
  description = "Name of the Cloud Run service, and the beginning of every other resource's name."
  type        = string
  default     = "gemini-gateway"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,20}[a-z0-9]$", var.service_name))
    error_message = "service_name has 4 to 22 lower-case letters, digits and hyphens: a database's name has at least 4, and a service account's at most 30, of which 6 are added."
  }
}

variable "labels" {
  description = "Labels for all resources that can have some, beside app = service_name."
  type        = map(string)
  default     = {}
}

variable "image" {
  description = "Image of the first revision only. Google's hello image answers 200 to every path, so that the probes pass; later images are Cloud Build's business, and ignored here."
  type        = string
  default     = "us-docker.pkg.dev/cloudrun/container/hello"
}

variable "deletion_protection" {
  description = "Refuse to delete the service, the database and the secrets. To destroy them, apply false first."
  type        = bool
  default     = true
}

# How the gateway reaches Gemini, and what it keeps

variable "upstreams" {
  description = "The ways to Gemini, in the order in which they are asked. vertex needs no secret; gemini_api needs a version of the secret <service_name>-gemini-api-key, code_assist one of <service_name>-oauth-credentials."
  type        = list(string)
  default     = ["vertex"]

  validation {
    condition = length(var.upstreams) > 0 && alltrue([
      for name in var.upstreams : contains(["code_assist", "vertex", "gemini_api"], name)
    ])
    error_message = "upstreams holds one or several of code_assist, vertex and gemini_api."
  }
}

variable "vertex_location" {
  description = "Where Vertex AI runs the models: a region, eu, us, or global, which is wherever there is room. The newest models are often on the last three only."
  type        = string
  default     = "global"
}

variable "token_cache" {
  description = "Where instances share the access token and thought signatures: firestore, or memory, which makes no database and has each instance refresh for itself. To go from one to the other later, apply deletion_protection = false first."
  type        = string
  default     = "firestore"

  validation {
    condition     = contains(["firestore", "memory"], var.token_cache)
    error_message = "token_cache is firestore or memory."
  }
}

variable "firestore_location" {
  description = "Where the database is: a region, nam5 or eur3; null for the service's region. It cannot be moved later."
  type        = string
  default     = null
}

variable "firestore_collection" {
  description = "Collection of the token state; thought signatures are in <firestore_collection>-signatures, the rates that keys use in <firestore_collection>-limits. Firestore deletes from all three what has expired."
  type        = string
  default     = "gateway"
}

variable "allow_refresh_token_writeback" {
  description = "Let the service add a version to the OAuth secret when Google replaces the refresh token. Google normally does not, so that it is off: without it the service can read its secrets and nothing more."
  type        = bool
  default     = false
}

variable "otlp_endpoint" {
  description = "Where traces and metrics are sent by OTLP over HTTP, as in https://collector.example.com; null for nowhere. The image must be made from requirements-otlp.txt, which the output requirements then names."
  type        = string
  default     = null
}

variable "env" {
  description = "More settings of the gateway, by the names in the README, as in { STRICT_PARAMS = \"true\" }. Never a secret: it would be readable in Terraform's state and in the console."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.env), local.reserved_env)) == 0
    error_message = "env must not set ${join(", ", setintersection(keys(var.env), local.reserved_env))}: Cloud Run or this module does, or it is a secret, which belongs into Secret Manager."
  }
}

# Who may call

variable "public" {
  description = "Let requests through to the gateway, which asks for its own API key. With false Cloud Run itself asks for an identity first, and clients send it in X-Serverless-Authorization beside the key."
  type        = bool
  default     = true
}

variable "invokers" {
  description = "Who may call the service with public = false, as in user:someone@example.com: people, groups, service accounts, identities of a workload or workforce pool, or all of a Workspace domain."
  type        = set(string)
  default     = []

  validation {
    condition = alltrue([
      for member in var.invokers : anytrue([
        can(regex("^(user|group):[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", member)),
        can(regex("^serviceAccount:[^@\\s]+@[a-z0-9.:-]+\\.gserviceaccount\\.com$", member)),
        can(regex("^serviceAccount:[a-z0-9.:-]+\\.svc\\.id\\.goog\\[[a-z0-9-]+/[a-z0-9-]+\\]$", member)),
        can(regex("^principal(Set)?://iam\\.googleapis\\.com/projects/[0-9]+/locations/global/workloadIdentityPools/\\S+$", member)),
        can(regex("^principal(Set)?://iam\\.googleapis\\.com/locations/global/workforcePools/\\S+$", member)),
        can(regex("^domain:[a-z0-9-]+(\\.[a-z0-9-]+)+$", member)) && !can(regex("^domain:(gmail|googlemail)\\.com$", member)),
      ])
    ])
    error_message = "Each of invokers is user:EMAIL, group:EMAIL, serviceAccount:EMAIL, principal://... or principalSet://... of a workload or workforce identity pool, or domain:DOMAIN of a Workspace, and not of gmail.com, where everyone can be. For everyone there is public = true."
  }
}

variable "ingress" {
  description = "From where requests may come: INGRESS_TRAFFIC_ALL, INGRESS_TRAFFIC_INTERNAL_ONLY, or INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER behind a load balancer of yours. Monitoring's uptime checks of this project get through with all three."
  type        = string
  default     = "INGRESS_TRAFFIC_ALL"

  validation {
    condition     = contains(["INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"], var.ingress)
    error_message = "ingress is INGRESS_TRAFFIC_ALL, INGRESS_TRAFFIC_INTERNAL_ONLY or INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER."
  }
}

# Size

variable "min_instances" {
  description = "Instances that are kept when nobody calls. 0 costs nothing and makes the first caller wait two seconds; 1 of the default size is about $13 a month."
  type        = number
  default     = 0

  validation {
    condition     = var.min_instances >= 0 && floor(var.min_instances) == var.min_instances
    error_message = "min_instances is a whole number from 0."
  }
}

variable "max_instances" {
  description = "The most instances there may be, which is the limit on what a flood of requests can cost. 5 of them hold 400 streams at once."
  type        = number
  default     = 5

  validation {
    condition     = var.max_instances >= max(1, var.min_instances) && floor(var.max_instances) == var.max_instances
    error_message = "max_instances is a whole number, at least 1 and at least min_instances."
  }
}

variable "concurrency" {
  description = "Requests that one instance serves at once. They wait for Gemini most of the time: 80 streams keep a processor busy for a few per cent. Cloud Run starts the next instance at 60 % of it. Lower it if most requests carry images of several megabytes, each of which holds about ten times its size in memory."
  type        = number
  default     = 80

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 1000 && floor(var.concurrency) == var.concurrency
    error_message = "concurrency is a whole number from 1 to 1000."
  }
}

variable "cpu" {
  description = "Processors of an instance. Measured: 4 ms of one for a request of text, 60 ms with an image of 5 MB, 1.5 s to start. Below 1 Cloud Run gives an instance only one request at once."
  type        = string
  default     = "1"

  validation {
    condition     = contains(["1", "2", "4", "6", "8"], var.cpu)
    error_message = "cpu is 1, 2, 4, 6 or 8."
  }
}

variable "memory" {
  description = "Memory of an instance: from 512Mi to 4Gi with 1 processor, to 8Gi with 2, from 2Gi to 16Gi with 4, from 4Gi to 24Gi with 6, from 4Gi to 32Gi with 8. Measured: 107 MB at rest, 115 MB with 80 streams of text, 335 MB with 4 images of 5 MB at once, 900 MB with 4 of 13 MB, the largest there may be."
  type        = string
  default     = "1Gi"

  validation {
    condition     = can(regex("^[1-9][0-9]*(Mi|Gi)$", var.memory))
    error_message = "memory is a number of Mi or Gi, as in 1Gi."
  }

  validation {
    condition = try(alltrue([
      for mib in [tonumber(regex("^[0-9]+", var.memory)) * (endswith(var.memory, "Gi") ? 1024 : 1)] :
      mib >= local.memory_bounds[var.cpu].least && mib <= local.memory_bounds[var.cpu].most
    ]), true)
    error_message = "memory must be from ${try(local.memory_bounds[var.cpu].least, "")}Mi to ${try(local.memory_bounds[var.cpu].most, "")}Mi with cpu = ${var.cpu}: Cloud Run refuses more and less."
  }
}

variable "request_timeout_seconds" {
  description = "When Cloud Run cuts a request, streams included; the gateway ends it with an error half a minute before. 3600 is the most, and right for models that think for long."
  type        = number
  default     = 3600

  validation {
    condition     = var.request_timeout_seconds >= 60 && var.request_timeout_seconds <= 3600
    error_message = "request_timeout_seconds is a number from 60 to 3600."
  }
}

# Watching

variable "alert_emails" {
  description = "Who is told when an alert fires. With none of these, the alerts are there and tell nobody."
  type        = set(string)
  default     = []
}

variable "notification_channels" {
  description = "Channels that exist already, for Slack, PagerDuty and others, as in projects/P/notificationChannels/N."
  type        = set(string)
  default     = []
}

variable "uptime_period" {
  description = "How often /ready is asked from several regions, which keeps an instance warm most of the time; null for never."
  type        = string
  default     = "300s"

  validation {
    condition     = var.uptime_period == null ? true : contains(["60s", "300s", "600s", "900s"], var.uptime_period)
    error_message = "uptime_period is 60s, 300s, 600s, 900s or null."
  }
}

variable "first_byte_alert_seconds" {
  description = "Alert when one request in twenty waits longer than this for the first byte of its answer. Models that think answer late: 30 is above what they usually take."
  type        = number
  default     = 30
}

variable "slo_goal" {
  description = "Share of requests that must not fail with a 5xx, over 28 days."
  type        = number
  default     = 0.99

  validation {
    condition     = var.slo_goal > 0 && var.slo_goal < 1
    error_message = "slo_goal is a share between 0 and 1."
  }
}

variable "token_prices" {
  description = "Dollars per million tokens by model, as in { \"gemini-2.5-flash\" = { input = 0.3, output = 2.5 } }, for the dashboard's chart of costs. Without prices there is no such chart. Google's prices change, so that none are built in; cached tokens count in full."
  type        = map(object({ input = number, output = number }))
  default     = {}
}

variable "budget" {
  description = "Mail the billing account's administrators at 50, 90 and 100 % of a monthly amount in its currency, as in { billing_account = \"012345-6789AB-CDEF01\", amount = 50 }; null for no budget. It warns, and stops nothing. Whoever applies it needs Billing Account Costs Manager on that account."
  type        = object({ billing_account = string, amount = number })
  default     = null
}

# Building

variable "smoke_model" {
  description = "Model that a new revision is asked for one word before it gets requests; if it does not answer, the revision before goes on serving. null lets a revision serve once it has started, which is all that can be known where ingress keeps Cloud Build's machines out."
  type        = string
  default     = "gemini-3.5-flash"

  validation {
    condition     = var.ingress == "INGRESS_TRAFFIC_ALL" || var.smoke_model == null
    error_message = "Cloud Build's machines are outside: with this ingress they cannot try a new revision. Set smoke_model = null to let it serve untried."
  }
}

variable "trigger" {
  description = "Build and deploy each push to a branch, as in { repository = \"projects/P/locations/R/connections/C/repositories/N\", branch = \"^main$\" }; null for no trigger. The connection to the repository is made by hand, in the console."
  type        = object({ repository = string, branch = string })
  default     = null
}
