//! What REST can ask metrics of: one reading, or several whose names are told apart by a prefix.

use std::fmt;

use crate::monitor::definition::AnyReading;
use crate::monitor::value::MetricValue;

/// Readings with prefixes, no prefix twice except the empty one.
#[derive(Default)]
pub(crate) struct Component {
    parts: Vec<(String, Box<dyn AnyReading>)>,
}

impl Component {
    /// A component with one reading.
    pub(crate) fn of(reading: impl AnyReading + 'static) -> Self {
        Self::default().with("", reading)
    }

    /// Adds a reading, the names of which have this prefix; a second one with the same prefix is hidden by the first.
    pub(crate) fn with(mut self, prefix: &str, reading: impl AnyReading + 'static) -> Self {
        if prefix.is_empty() || self.parts.iter().all(|(known, _)| known != prefix) {
            self.parts.push((prefix.to_owned(), Box::new(reading)));
        }
        self
    }

    /// The value of a metric by its full name.
    pub(crate) fn value(&self, name: &str) -> Option<MetricValue> {
        self.parts.iter().find_map(|(prefix, reading)| reading.value(name.strip_prefix(prefix.as_str())?))
    }

    /// The full names of all metrics.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = |(prefix, reading): &(String, Box<dyn AnyReading>)| {
            reading.all().into_iter().map(|(name, _)| format!("{prefix}{name}")).collect::<Vec<_>>()
        };
        self.parts.iter().flat_map(names).collect()
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.parts.iter().map(|(prefix, _)| prefix)).finish()
    }
}

/// The prefix of an operator's metrics: its name with Flink's replacements, and a dot.
pub(crate) fn operator_prefix(name: &str) -> String {
    let mut prefix: String = operator_name(name).chars().map(replaced).collect();
    prefix.push('.');
    prefix
}

/// The name of an operator in metrics: Flink cuts it to 80 characters.
pub(crate) fn operator_name(name: &str) -> String {
    const CHARACTERS_MAX: usize = 80;
    name.chars().take(CHARACTERS_MAX).collect()
}

fn replaced(character: char) -> char {
    if matches!(character, ' ' | '.' | ':' | ',') { '_' } else { character }
}

#[cfg(test)]
mod tests {
    use super::{Component, operator_prefix};
    use crate::monitor::definition::{Definition, Reading, gauge};
    use crate::monitor::value::MetricValue;

    struct Weather(u64);

    impl Reading for Weather {
        fn definitions() -> &'static [Definition<Self>] {
            static ALL: &[Definition<Weather>] = &[
                gauge("degrees", "How warm it is.", |weather: &Weather| Some(weather.0.into())),
                gauge("rain", "How wet it is.", |_: &Weather| None),
            ];
            ALL
        }
    }

    #[test]
    fn names_are_prefixed_and_values_found_by_them() {
        let component = Component::of(Weather(1)).with("a.", Weather(2)).with("a.", Weather(3));
        assert_eq!(component.names(), ["degrees", "a.degrees"]);
        let cases = [("degrees", Some(1u64)), ("a.degrees", Some(2)), ("b.degrees", None), ("rain", None), ("", None)];
        for (name, value) in cases {
            assert_eq!(component.value(name), value.map(MetricValue::from), "{name}");
        }
    }

    #[test]
    fn operator_names_are_mangled_as_flink_does() {
        let cases = [
            ("snk[16]: Writer", "snk[16]__Writer."),
            ("Source: src[9]", "Source__src[9]."),
            ("Calc(a.b, c)", "Calc(a_b__c)."),
        ];
        for (name, prefix) in cases {
            assert_eq!(operator_prefix(name), prefix);
        }
        assert_eq!(operator_prefix(&"é".repeat(200)).chars().count(), 81);
    }
}
