//! Closed sets of words: an enum whose JSON form is one fixed word for each of its values.
//!
//! Invariant: a word that is not in the set is never read as one that is, and the error names the whole set.

use std::fmt;

/// A word that is not in the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    /// What a word of the set is, with its article.
    pub kind: &'static str,
    /// The word that was given.
    pub word: String,
    /// The words of the set.
    pub allowed: Vec<&'static str>,
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not {}, allowed are", self.word, self.kind)?;
        for (position, word) in self.allowed.iter().enumerate() {
            write!(f, "{} `{word}`", if position == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownWord {}

/// Declares an enum with one word for each value.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident means $kind:literal {
        $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $name {
            /// Every value, in the order in which Flink declares them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the word as it stands in JSON.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::words::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word).ok_or_else(|| {
                    $crate::words::UnknownWord {
                        kind: $kind,
                        word: word.to_owned(),
                        allowed: Self::ALL.iter().map(|value| value.as_str()).collect(),
                    }
                })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <String as serde::Deserialize>::deserialize(deserializer)?;
                word.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    words! {
        /// Two colours.
        Colour means "a colour" {
            /// The colour of blood.
            Red = "red",
            /// The colour of the sea.
            Blue = "BLUE",
        }
    }

    #[test]
    fn a_word_prints_and_reads_as_declared() {
        assert_eq!(serde_json::to_string(&[Colour::Red, Colour::Blue]).unwrap(), r#"["red","BLUE"]"#);
        assert_eq!(serde_json::from_str::<Vec<Colour>>(r#"["BLUE","red"]"#).unwrap(), [Colour::Blue, Colour::Red]);
        assert_eq!(format!("{:>5}", Colour::Red), "  red");
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_whole_set() {
        let error = "blue".parse::<Colour>().unwrap_err();
        assert_eq!(error.to_string(), "`blue` is not a colour, allowed are `red`, `BLUE`");
        assert!(serde_json::from_str::<Colour>(r#""green""#).unwrap_err().to_string().contains("`green`"));
        assert!(serde_json::from_str::<Colour>("1").is_err());
    }
}
