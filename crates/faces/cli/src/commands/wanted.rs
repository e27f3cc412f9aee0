//! What somebody asked for on the command line, so that a hint can be the whole command that was meant.

/// An object that was named to a command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The command: `explain`.
    pub(crate) verb: &'a str,
    /// What was typed: `NAME` or `KIND/NAME`.
    pub(crate) typed: &'a str,
    /// What the command takes after that, if it takes more.
    pub(crate) rest: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// An object of a command that takes nothing else.
    pub(crate) fn new(verb: &'a str, typed: &'a str) -> Self {
        Self { verb, typed, rest: None }
    }

    /// The same command for another object, quoted.
    pub(crate) fn command(&self, words: &str) -> String {
        let rest = self.rest.map(|rest| format!(" {rest}")).unwrap_or_default();
        format!("`kobel {} {words}{rest}`", self.verb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_whole() {
        let wanted = Wanted::new("explain", "orders");
        assert_eq!(wanted.command("flinkdep/orders -n team"), "`kobel explain flinkdep/orders -n team`");
        let wanted = Wanted { verb: "rescale", typed: "orders", rest: Some("4") };
        assert_eq!(wanted.command("flinkdep/orders"), "`kobel rescale flinkdep/orders 4`");
    }
}
