//! The parameters of requests for metrics, read as Flink reads them.
//!
//! A parameter holds a list with commas; given several times, the lists are one. What is empty is as if it were not
//! there.

use std::ops::RangeInclusive;

use kobel_model::ids::JobId;

use crate::rest::call::Refusal;
use crate::rest::metrics::aggregation::Aggregation;
use crate::rest::refusals;

/// The items of a parameter, or `None` if it was not given.
pub(crate) fn list(query: &[(String, String)], name: &str) -> Option<Vec<String>> {
    let text = joined(query, name)?;
    let mut items: Vec<String> = text.split(',').map(str::to_owned).collect();
    // Only a text without a comma may be one empty item.
    if text.contains(',') {
        while items.last().is_some_and(String::is_empty) {
            items.pop();
        }
    }
    (!items.is_empty()).then_some(items)
}

fn joined(query: &[(String, String)], name: &str) -> Option<String> {
    let values: Vec<&str> = query.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// How to sum up, by `agg`; in every way if it was not given.
///
/// # Errors
/// 400 for a way that there is not.
pub(crate) fn aggregations(query: &[(String, String)]) -> Result<Vec<Aggregation>, Refusal> {
    let Some(items) = list(query, "agg") else { return Ok(Aggregation::ALL.to_vec()) };
    items.iter().map(|item| Aggregation::named(item).ok_or_else(|| unreadable(query, "agg"))).collect()
}

/// The jobs to sum up over, by `jobs`; all if it was not given.
///
/// # Errors
/// 400 if one is no id.
pub(crate) fn job_ids(query: &[(String, String)]) -> Result<Option<Vec<JobId>>, Refusal> {
    let Some(items) = list(query, "jobs") else { return Ok(None) };
    let ids = items.iter().map(|item| item.parse::<JobId>().map_err(|_| unreadable(query, "jobs")));
    ids.collect::<Result<Vec<JobId>, Refusal>>().map(Some)
}

/// The subtasks to sum up over, by `subtasks`; all if it was not given.
///
/// What is no number and no range is passed over, as in Flink.
pub(crate) fn subtasks(query: &[(String, String)]) -> Option<Vec<RangeInclusive<usize>>> {
    let range = |item: &String| -> Option<RangeInclusive<usize>> {
        let item = item.trim();
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    Some(list(query, "subtasks")?.iter().filter_map(range).collect())
}

fn unreadable(query: &[(String, String)], name: &str) -> Refusal {
    refusals::unreadable(name, &joined(query, name).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{Aggregation, aggregations, job_ids, list, subtasks};
    use std::ops::RangeInclusive;

    fn query(text: &str) -> Vec<(String, String)> {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn lists_are_joined_and_split_at_commas() {
        let cases: [(&str, Option<&[&str]>); 7] = [
            ("", None),
            ("other=a", None),
            ("get=a,b", Some(&["a", "b"])),
            ("get=a&x=y&get=b,c", Some(&["a", "b", "c"])),
            ("get=", Some(&[""])),
            ("get=,", None),
            ("get=,a,,", Some(&["", "a"])),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|items| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>());
            assert_eq!(list(&query(text), "get"), expected, "{text}");
        }
    }

    #[test]
    fn aggregations_are_named_in_any_case_and_others_refused() {
        assert_eq!(aggregations(&query("")).unwrap(), Aggregation::ALL);
        assert_eq!(aggregations(&query("agg=max,SUM")).unwrap(), [Aggregation::Max, Aggregation::Sum]);
        for (text, value) in [("agg=foo", "foo"), ("agg=", ""), ("agg=max,p50", "max,p50")] {
            let refusal = aggregations(&query(text)).unwrap_err();
            let message = format!(
                "Bad request, could not parse parameters: Cannot resolve query parameter (agg) from value \"{value}\"."
            );
            assert_eq!((refusal.status, refusal.messages), (400, vec![message]));
        }
    }

    #[test]
    fn jobs_are_ids() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(job_ids(&query("")).unwrap(), None);
        assert_eq!(job_ids(&query(&format!("jobs={id}"))).unwrap(), Some(vec![id.parse().unwrap()]));
        let refusal = job_ids(&query(&format!("jobs={id},abc"))).unwrap_err();
        assert_eq!(refusal.status, 400);
        assert!(refusal.messages[0].contains("query parameter (jobs) from value \"0123"), "{refusal:?}");
    }

    #[test]
    fn subtasks_are_numbers_and_ranges_and_the_rest_is_passed_over() {
        let cases = [
            ("subtasks=0-2,4", vec![0..=2, 4..=4]),
            ("subtasks= 1 ,x,-1,1-,3-1,0-99999999999", vec![1..=1, RangeInclusive::new(3, 1), 0..=99_999_999_999]),
            ("subtasks=x", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(subtasks(&query(text)), Some(expected), "{text}");
        }
        assert_eq!(subtasks(&query("")), None);
    }
}
