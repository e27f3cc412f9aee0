//! The list that the suite follows: what a real API server was seen to do. An item is held by checks, or it is marked:
//! then no check can be made that every API has to pass, and it is said why.

/// The items that are held, each with the names of the checks that do.
pub const HELD: &[(&str, &[&str])] = &[
    ("the four kinds of Flink are served", &["every_kind_of_flink_is_served"]),
    ("defaults are filled in", &["what_is_left_out_is_filled_in"]),
    ("unknown fields are pruned", &["unknown_fields_are_pruned_or_refused"]),
    ("what a schema leaves open is preserved", &["what_the_schema_leaves_open_is_kept"]),
    ("strict validation", &["a_strict_creation_refuses_unknown_fields", "unknown_fields_are_pruned_or_refused"]),
    ("errors of the schema are 422", &["what_breaks_the_schema_is_refused"]),
    ("the scale subresource", &["the_scale_subresource_reads_and_writes_replicas"]),
    ("generateName", &["generate_name_makes_a_new_name"]),
    ("dryRun", &["a_dry_run_stores_nothing"]),
    ("the status is dropped at creation", &["status_is_dropped_at_creation"]),
    ("a patch of the status changes nothing else", &["a_status_patch_leaves_spec_and_generation_alone"]),
    (
        "a patch of the object leaves the status and raises the generation",
        &["a_main_patch_leaves_the_status_alone", "a_change_of_the_spec_raises_the_generation"],
    ),
    ("a patch without a change keeps the version", &["a_change_that_changes_nothing_keeps_the_version"]),
    ("a stale update is a conflict", &["a_stale_update_is_a_conflict", "a_status_update_needs_the_newest_version"]),
    ("server-side apply creates, is in conflict, and is forced", &["apply_conflicts_and_is_forced"]),
    ("server-side apply knows what others have written", &["what_was_written_is_not_applied_over"]),
    ("server-side apply merges lists", &["applied_lists_are_merged", "applied_entries_are_merged_by_their_keys"]),
    ("server-side apply removes what is no longer applied", &["fields_that_are_no_longer_applied_go"]),
    ("finalizers", &["a_finalizer_holds_a_deletion", "an_object_that_is_going_takes_no_new_finalizers"]),
    ("a watch tells what is added, modified and deleted", &["a_watch_tells_every_change_in_order"]),
    ("a watch from an old version ends with an error", &["a_watch_from_a_forgotten_version_ends_with_410"]),
    ("a watch begins with a list and marks its end", &["a_watch_with_initial_events_marks_their_end"]),
    ("lists come in pieces", &["a_list_in_pieces_is_whole"]),
    ("leases", &["a_lease_is_taken_by_one"]),
    (
        "what is owned by a custom resource is collected",
        &["dependents_go_with_their_owner", "a_foreground_deletion_waits_for_dependents", "an_orphan_stays"],
    ),
];

/// The items that no check holds, by the names that checks of them would have, each with the reason.
pub const MARKED: &[(&str, &str)] = &[
    ("a_definition_is_served_once_it_is_created", "definitions: the kinds of both of our APIs are built in"),
    ("defaults_are_filled_in_again", "definitions: no kind of Flink has a default that could come back"),
    ("a_selectable_field_selects", "definitions: no kind of Flink declares any such field"),
    ("a_rule_of_a_definition_refuses", "CEL: no kind of Flink has rules, and neither of our APIs evaluates any"),
    ("a_rule_about_a_change_refuses", "CEL: no kind of Flink has rules, and neither of our APIs evaluates any"),
    ("an_admission_policy_refuses", "CEL: neither of our APIs has policies"),
    ("a_mutating_webhook_changes_what_is_written", "webhooks: neither of our APIs calls any"),
    ("a_validating_webhook_refuses", "webhooks: neither of our APIs calls any"),
    (
        "who_may_not_is_forbidden",
        "RBAC: nobody asks the simulated API who calls; the embedded one has tests of its own",
    ),
    ("a_token_is_issued", "RBAC: the simulated API knows no callers; the embedded one has tests of its own"),
    ("a_deployment_makes_pods", "pods: that is the work of the controller manager, and neither of our APIs has pods"),
    ("a_pod_is_bound_to_a_node", "pods: that is the work of the scheduler, and neither of our APIs has pods"),
];

/// The checks that need a record of who manages which field also of what was not applied. The simulated API can do
/// without one, which the controller does not read.
pub const NEED_MANAGERS: &[&str] = &["what_was_written_is_not_applied_over"];
