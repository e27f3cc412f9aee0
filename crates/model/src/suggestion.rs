//! Did-you-mean: the known name that a wrong one most likely stands for.
//!
//! A suggestion that is far off is worse than none, so the distance allowed grows with the length of what was typed
//! and stays small.

/// Finds the candidate that `wrong` most likely stands for, if one is near enough.
///
/// Case does not count. Of equally near candidates the first by name wins, so the answer does not depend on the order
/// in which they are given.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = wrong.to_lowercase();
    let length = typed.chars().count();
    let limit = distance_limit(length);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let known = candidate.to_lowercase();
            // Names of very different length cannot be near; comparing them costs memory in proportion to both.
            let near_in_length = known.chars().count().abs_diff(length) <= limit;
            let distance = near_in_length.then(|| strsim::damerau_levenshtein(&typed, &known))?;
            (distance <= limit).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// About a third of the length: one slip in a short name, six in a long one, none in a single letter.
fn distance_limit(length: usize) -> usize {
    match length {
        0 | 1 => 0,
        _ => (length / 3).clamp(1, 6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names_are_suggested_and_far_ones_are_not() {
        let names = ["carrier", "dep_delay", "distance", "origin", "id"];
        for (wrong, expected) in [
            ("carier", Some("carrier")),
            ("CARRIER", Some("carrier")),
            ("dep_dealy", Some("dep_delay")),
            ("distnace", Some("distance")),
            ("ids", Some("id")),
            ("tail_number", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, names), expected, "for `{wrong}`");
        }
    }

    #[test]
    fn equally_near_candidates_are_ordered_by_name() {
        assert_eq!(nearest("cat", ["hat", "bat", "rat"]), Some("bat"));
        assert_eq!(nearest("cat", ["rat", "hat", "bat"]), Some("bat"));
    }

    #[test]
    fn a_huge_name_is_answered_without_comparing() {
        let huge = "a".repeat(1 << 20);
        assert_eq!(nearest(&huge, ["a", "aa"]), None);
    }
}
