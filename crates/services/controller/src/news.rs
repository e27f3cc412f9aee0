//! What is news of what a watch tells: an object is told of whenever anything of it is written, be it by whoever listens.

use std::collections::HashMap;

use kube::ResourceExt as _;
use kube::runtime::watcher;

use crate::wire::Printed;

/// What a watch has told of, so that it is known what is no news.
#[derive(Debug, Default)]
pub(crate) struct News {
    known: HashMap<(String, String), u64>,
}

impl News {
    /// Whether what a watch tells is news.
    pub(crate) fn of<K: Printed>(&mut self, told: &watcher::Event<K>) -> bool {
        let name = |object: &K| (object.namespace().unwrap_or_default(), object.name_any());
        match told {
            watcher::Event::Apply(object) | watcher::Event::InitApply(object) => {
                let print = object.print();
                self.known.insert(name(object), print) != Some(print)
            }
            watcher::Event::Delete(object) => {
                self.known.remove(&name(object));
                true
            }
            watcher::Event::Init => {
                // It begins anew: what was missed meanwhile is among what it tells then.
                self.known.clear();
                false
            }
            watcher::Event::InitDone => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::Named;

    fn object(name: &str, generation: i64) -> Named {
        let metadata = json!({"name": name, "namespace": "team", "generation": generation});
        serde_json::from_value(json!({ "metadata": metadata })).unwrap()
    }

    #[test]
    fn what_has_not_changed_is_no_news() {
        let mut news = News::default();
        for (told, expected) in [
            (watcher::Event::Init, false),
            (watcher::Event::InitApply(object("a", 1)), true),
            (watcher::Event::InitDone, false),
            (watcher::Event::Apply(object("a", 1)), false),
            (watcher::Event::Apply(object("b", 1)), true),
            (watcher::Event::Apply(object("a", 2)), true),
            (watcher::Event::Delete(object("a", 2)), true),
            (watcher::Event::Apply(object("a", 2)), true),
            (watcher::Event::Init, false),
            (watcher::Event::InitApply(object("a", 2)), true),
        ] {
            assert_eq!(news.of(&told), expected, "{told:?}");
        }
        assert_eq!(news.known.len(), 1, "what is gone is forgotten");
    }
}
