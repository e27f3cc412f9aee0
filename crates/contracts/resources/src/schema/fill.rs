//! Filling in what is absent, and nulls.

use serde_json::Value;

use super::node::Schema;

impl Schema {
    /// Fills in the defaults of absent fields.
    ///
    /// A null where none may stand is replaced by the default, or dropped from its object if there is none. A null in
    /// a list without a default stays, so that no other entry moves; validation then names it.
    pub fn fill_defaults(&self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, inner) in &self.properties {
                    if let Some(default) = &inner.default
                        && !members.contains_key(name)
                    {
                        members.insert(name.clone(), default.clone());
                    }
                }
                members.retain(|name, member| {
                    let Some(inner) = self.property(name) else {
                        return true;
                    };
                    if inner.refuses_null(member) {
                        let Some(default) = &inner.default else {
                            return false;
                        };
                        *member = default.clone();
                    }
                    inner.fill_defaults(member);
                    true
                });
            }
            Value::Array(entries) => {
                let Some(inner) = self.items() else {
                    return;
                };
                for value in entries {
                    if inner.refuses_null(value)
                        && let Some(default) = &inner.default
                    {
                        *value = default.clone();
                    }
                    inner.fill_defaults(value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Whether the value is a null that may not stand here.
    fn refuses_null(&self, value: &Value) -> bool {
        value.is_null() && !self.nullable
    }
}
