//! A script whose claims are left out, for runs in which other things go wrong than it was written for.

use super::command::Command;
use super::cursor::Script;

/// What a script begins with that goes on where something is awaited in vain.
pub const LENIENT: &str = "> world in-vain=goes-on\n";

/// The commands of a script without what they claim: with faults it may come otherwise, and later. What is awaited on
/// the way need not come, so some time goes by instead. How another world was made is not how this one is.
pub fn without_claims(script: &Script) -> String {
    let steps = script.steps.iter().filter_map(|step| {
        let mut words = step.text.split_whitespace();
        match (words.next()?, &step.command) {
            ("expect" | "show" | "refused", _) => None,
            (_, Command::World(settings)) if settings.seed.is_some() || settings.in_vain.is_some() => None,
            ("await", _) if !matches!(words.nth(1), Some("Settled" | "gone")) => Some("> run 2s\n".to_owned()),
            ("await", _) => Some(format!("> {} within 15m\n", step.text.split(" within ").next().unwrap_or_default())),
            _ => Some(format!("> {}\n", step.text)),
        }
    });
    steps.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::parse;

    #[test]
    fn what_a_script_claims_is_left_out() {
        let text =
            "> deploy orders\n> await orders Settled\n> await orders Starting within 3s\n> expect orders starts=1\n";
        let script = parse("one", text).unwrap();
        let left = without_claims(&script);
        assert_eq!(left, "> deploy orders\n> await orders Settled within 15m\n> run 2s\n");
        let found = "> world seed=3 start=1s\n> fault crash before at 5s\n> world start=2s\n> run 1s\n";
        let left = without_claims(&parse("one", found).unwrap());
        assert_eq!(left, "> fault crash before at 5s\n> world start=2s\n> run 1s\n");
    }
}
