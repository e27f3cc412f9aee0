//! What a kube client relies on, one check a rule, against any API: the embedded one, a cluster, a simulated one.
//!
//! It follows [a list](list) of what an API server was seen to do; what a cluster answers is right by definition. A
//! check panics if an answer is another one. The only time is that of `tokio`, so a paused clock will do.

mod applies;
mod asking;
mod deletions;
pub mod list;
mod watches;
mod writes;

use std::pin::Pin;

use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::api::{Api, DeleteParams, ObjectMeta, PostParams};

/// One check: its name, and what it does in a namespace of its own.
pub type Check = (&'static str, fn(Client, String) -> Pin<Box<dyn Future<Output = ()>>>);

macro_rules! checks {
    ($($group:ident::$name:ident),* $(,)?) => {
        /// Every check.
        pub const CHECKS: &[Check] =
            &[$((stringify!($name), |client, namespace| Box::pin($group::$name(client, namespace)))),*];
    };
}

checks![
    writes::a_stale_update_is_a_conflict,
    writes::an_update_without_a_version_is_refused,
    writes::a_change_of_the_spec_raises_the_generation,
    writes::a_change_that_changes_nothing_keeps_the_version,
    writes::status_is_dropped_at_creation,
    writes::a_status_patch_leaves_spec_and_generation_alone,
    writes::a_main_patch_leaves_the_status_alone,
    writes::a_dry_run_stores_nothing,
    writes::generate_name_makes_a_new_name,
    writes::unknown_fields_are_pruned_or_refused,
    writes::the_scale_subresource_reads_and_writes_replicas,
    writes::what_breaks_the_schema_is_refused,
    writes::what_the_schema_leaves_open_is_kept,
    writes::a_strict_creation_refuses_unknown_fields,
    writes::a_name_is_taken_once,
    writes::what_is_not_there_is_told_by_name,
    writes::a_status_update_needs_the_newest_version,
    writes::a_lease_is_taken_by_one,
    writes::what_is_left_out_is_filled_in,
    writes::every_kind_of_flink_is_served,
    applies::apply_conflicts_and_is_forced,
    applies::fields_that_are_no_longer_applied_go,
    applies::applied_lists_are_merged,
    applies::applied_entries_are_merged_by_their_keys,
    applies::what_was_written_is_not_applied_over,
    deletions::a_finalizer_holds_a_deletion,
    deletions::a_deletion_with_an_old_version_is_a_conflict,
    deletions::dependents_go_with_their_owner,
    deletions::a_foreground_deletion_waits_for_dependents,
    deletions::an_orphan_stays,
    deletions::an_object_that_is_made_again_is_another,
    deletions::an_object_that_is_going_takes_no_new_finalizers,
    watches::a_watch_tells_every_change_in_order,
    watches::a_watch_from_a_forgotten_version_ends_with_410,
    watches::a_watch_with_initial_events_marks_their_end,
    watches::a_list_in_pieces_is_whole,
    watches::a_selector_selects_in_lists_and_watches,
    watches::events_are_found_by_their_object,
    watches::a_version_that_is_not_reached_is_waited_for_in_vain,
    watches::a_watch_that_ends_tells_how_far_it_got,
];

/// Does every check, each in a namespace of its own whose name ends in `suffix`; says first which one it is, and in the
/// end what is not checked.
///
/// # Panics
/// Panics if the API does not do what a kube client relies on.
pub async fn check_all(client: &Client, suffix: &str, say: impl Fn(&str)) {
    check(client, suffix, &[], say).await;
}

/// Does every check that an API can pass which keeps no record of who manages which field of what was not applied.
///
/// # Panics
/// Panics if the API does not do what a kube client relies on.
pub async fn check_without_managers(client: &Client, suffix: &str, say: impl Fn(&str)) {
    check(client, suffix, list::NEED_MANAGERS, say).await;
}

async fn check(client: &Client, suffix: &str, left_out: &[&str], say: impl Fn(&str)) {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    for (number, (name, check)) in CHECKS.iter().enumerate().filter(|(_, (name, _))| !left_out.contains(name)) {
        say(name);
        let namespace = format!("behaviour-{number}-{suffix}");
        let metadata = ObjectMeta { name: Some(namespace.clone()), ..ObjectMeta::default() };
        let object = Namespace { metadata, ..Namespace::default() };
        namespaces.create(&PostParams::default(), &object).await.expect("a namespace is made");
        check(client.clone(), namespace.clone()).await;
        namespaces.delete(&namespace, &DeleteParams::default()).await.expect("a namespace is deleted");
    }
    for (name, why) in list::MARKED {
        say(&format!("{name} is not checked: {why}"));
    }
}

#[cfg(test)]
mod tests {
    use super::list::{HELD, MARKED, NEED_MANAGERS};
    use super::*;

    fn is_check(name: &str) -> bool {
        CHECKS.iter().any(|(known, _)| *known == name)
    }

    #[test]
    fn what_the_list_says_is_held_has_checks() {
        for (item, checks) in HELD {
            assert!(!checks.is_empty(), "{item}");
            for name in *checks {
                assert!(is_check(name), "{item}: there is no check `{name}`");
            }
        }
        assert!(NEED_MANAGERS.iter().all(|name| is_check(name)));
    }

    #[test]
    fn what_is_marked_is_not_checked_and_says_why() {
        for (name, why) in MARKED {
            assert!(!is_check(name), "`{name}` is marked and checked");
            let needs = ["webhooks: ", "RBAC: ", "CEL: ", "definitions: ", "pods: "];
            assert!(needs.iter().any(|needed| why.starts_with(needed)), "{name}: {why}");
        }
    }

    #[test]
    fn nothing_stands_twice() {
        let checks = CHECKS.iter().map(|(name, _)| *name);
        let mut names: Vec<&str> = checks.chain(MARKED.iter().map(|(name, _)| *name)).collect();
        names.extend(HELD.iter().map(|(item, _)| *item));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
