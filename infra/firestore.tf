# Where instances share token state, thought signatures and rates. All can be lost without a request
# failing, so that there are no backups. What nobody writes any more, Firestore deletes.

locals {
  collections = {
    tokens     = var.firestore_collection
    signatures = "${var.firestore_collection}-signatures"
    limits     = "${var.firestore_collection}-limits"
  }
}

resource "google_firestore_database" "this" {
  count                             = local.uses_firestore ? 1 : 0
  name                              = var.service_name
  location_id                       = coalesce(var.firestore_location, var.region)
  type                              = "FIRESTORE_NATIVE"
  database_edition                  = "STANDARD"
  concurrency_mode                  = "OPTIMISTIC"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_DISABLED" # or deleted tokens stay readable
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = "DELETE" # the provider's default would leave it behind

  depends_on = [google_project_service.this]
}

# No query needs an index, and one on a time that only grows slows writing down.
resource "google_firestore_field" "expiry" {
  for_each   = local.uses_firestore ? local.collections : {}
  database   = google_firestore_database.this[0].name
  collection = each.value
  field      = "expire_at"

  ttl_config {}
  index_config {}
}

resource "google_firestore_field" "unindexed" {
  for_each = local.uses_firestore ? {
    access_token = local.collections.tokens
    signature    = local.collections.signatures
  } : {}
  database   = google_firestore_database.this[0].name
  collection = each.value
  field      = each.key

  index_config {}
}
