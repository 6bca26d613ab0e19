//! A field as it is written in one word, `spec.template.spec.containers[0].image`, and a
//! value for it: the way to it by the schema, and the text as the type it has there.
//!
//! A key of a map may have dots. Where the map's values are plain, all that follows is its
//! key (`metadata.labels.topology.kubernetes.io/zone`); elsewhere `\.` is a dot of the
//! key, or the key stands in brackets (`limits[nvidia.com/gpu]`). An element of a list is
//! known by its number or, if it has one, by its name: `containers[main].image`.

use serde_json::Value;

use crate::diagnostic::nearest;
use crate::kube::Kind;
use crate::kube::shape::{self, Shape};
use crate::validate::is_quantity;
use crate::validate::path::{FieldPath, Step};

/// A field of a kind: the way to it, and what may stand there.
#[derive(Debug, Clone)]
pub struct Target {
    /// The way; an element of a list that is known by its name is a key.
    pub path: FieldPath,
    shape: Shape,
}

/// The fields that say which object it is.
const IDENTITY: [&str; 6] =
    ["apiVersion", "kind", "metadata.name", "metadata.namespace", "metadata.uid", "metadata.generateName"];

/// Finds a field of a kind.
///
/// # Errors
/// What is wrong with it, and what may be meant.
pub fn way_to(kind: Kind, text: &str) -> Result<Target, (String, Option<String>)> {
    if IDENTITY.contains(&text) {
        return Err((format!("`{text}` says which object it is, and is not changed"), None));
    }
    let mut path = FieldPath::default();
    let mut shape = Shape::Object(kind.name());
    let mut rest = text;
    loop {
        let (word, bracketed, after) =
            word(rest, &shape).ok_or_else(|| (format!("`{text}` cannot be read"), None))?;
        rest = after;
        shape = match shape {
            Shape::Object(name) => {
                let fields = shape::of_name(name).map(|it| &it.fields);
                let Some(inner) = fields.and_then(|fields| fields.get(word.as_str())) else {
                    let around = if path.0.is_empty() { kind.name().to_owned() } else { format!("`{path}`") };
                    let mut known: Vec<&str> = fields.into_iter().flat_map(|it| it.keys().copied()).collect();
                    known.sort_unstable();
                    let help = match nearest(&word, known.iter().copied()) {
                        Some(near) => format!("did you mean `{}`?", path.clone().field(near)),
                        None => format!("the fields here are {}", known.join(", ")),
                    };
                    return Err((format!("{around} has no field `{word}`"), Some(help)));
                };
                path = path.field(&word);
                inner.shape.clone()
            }
            Shape::Map(inner) => {
                path = path.key(&word);
                *inner
            }
            Shape::List(inner) => {
                path = match word.parse() {
                    Ok(index) => path.index(index),
                    Err(_) => path.key(&word),
                };
                *inner
            }
            Shape::Any => {
                path = if bracketed { path.key(&word) } else { path.field(&word) };
                Shape::Any
            }
            _ => return Err((format!("`{path}` is {}, and has no fields", what(&shape)), None)),
        };
        if rest.is_empty() {
            return Ok(Target { path, shape });
        }
    }
}

/// The first word of a way, whether it stood in brackets, and what follows.
fn word<'t>(text: &'t str, shape: &Shape) -> Option<(String, bool, &'t str)> {
    let (word, bracketed, rest) = if let Some(inner) = text.strip_prefix('[') {
        let (inner, rest) = inner.split_once(']')?;
        (inner.trim_matches(['"', '\'']).to_owned(), true, rest)
    } else if matches!(shape, Shape::Map(inner) if !matches!(**inner, Shape::Object(_) | Shape::List(_) | Shape::Map(_)))
    {
        (text.replace("\\.", "."), false, "")
    } else {
        let mut word = String::new();
        let mut chars = text.char_indices().peekable();
        let mut end = text.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' if chars.peek().is_some_and(|(_, next)| *next == '.') => {
                    chars.next();
                    word.push('.');
                }
                '.' | '[' => {
                    end = at;
                    break;
                }
                c => word.push(c),
            }
        }
        (word, false, &text[end..])
    };
    let rest = match rest.strip_prefix('.') {
        Some("") => return None,
        Some(rest) => rest,
        None if rest.is_empty() || rest.starts_with('[') => rest,
        None => return None,
    };
    (!word.is_empty()).then_some((word, bracketed, rest))
}

/// A text as a value of the type that the field has.
///
/// # Errors
/// What would have to stand there.
pub fn typed(target: &Target, text: &str) -> Result<Value, String> {
    let path = &target.path;
    let fail = || format!("`{path}` must be {}, not `{text}`", what(&target.shape));
    match &target.shape {
        Shape::Text | Shape::Time => Ok(text.into()),
        Shape::Int32 => text.parse::<i32>().map(Value::from).map_err(|_| fail()),
        Shape::Int64 => text.parse::<i64>().map(Value::from).map_err(|_| fail()),
        Shape::Float => text.parse::<f64>().map(Value::from).map_err(|_| fail()),
        Shape::Truth => text.parse::<bool>().map(Value::from).map_err(|_| fail()),
        Shape::Quantity => Some(Value::from(text)).filter(is_quantity).ok_or_else(fail),
        Shape::IntOrString => Ok(text.parse::<i32>().map_or_else(|_| text.into(), Value::from)),
        shape => {
            let value: Value = serde_yaml::from_str(text).map_err(|_| fail())?;
            let fits = match shape {
                Shape::List(_) => value.is_array(),
                Shape::Map(_) | Shape::Object(_) => value.is_object(),
                _ => true,
            };
            if fits { Ok(value) } else { Err(fail()) }
        }
    }
}

fn what(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text => "a text",
        Shape::Time => "a time",
        Shape::Int32 | Shape::Int64 => "a whole number",
        Shape::Float => "a number",
        Shape::Truth => "`true` or `false`",
        Shape::Quantity => "a quantity, as `500m` or `1Gi`",
        Shape::IntOrString => "a whole number or a percentage",
        Shape::Any => "any value",
        Shape::List(_) => "a list, as `[a, b]`",
        Shape::Map(_) | Shape::Object(_) => "a mapping, as `{a: b}`",
    }
}

/// Sets a field of an object, or takes it away; what is on the way to it is made.
///
/// # Errors
/// When the way leads to an element that a list does not have.
pub fn put(value: &mut Value, path: &[Step], new: Option<&Value>) -> Result<(), String> {
    let Some((step, rest)) = path.split_first() else {
        *value = new.cloned().unwrap_or(Value::Null);
        return Ok(());
    };
    if value.is_null() {
        if new.is_none() {
            return Ok(());
        }
        *value = if matches!(step, Step::Index(_)) {
            Value::Array(Vec::new())
        } else {
            Value::Object(serde_json::Map::new())
        };
    }
    match (value, step) {
        (Value::Array(list), step) => {
            let at = match step {
                Step::Index(index) => Some(*index),
                Step::Field(name) | Step::Key(name) => list.iter().position(|it| it["name"] == name.as_str()),
            };
            let length = list.len();
            match (at, new) {
                (Some(at), None) if at < length && rest.is_empty() => drop(list.remove(at)),
                (Some(at), _) if at < length => return put(&mut list[at], rest, new),
                // The next one is a new one.
                (Some(at), Some(_)) if at == length => {
                    list.push(Value::Null);
                    return put(&mut list[at], rest, new);
                }
                _ => {
                    let all: Vec<&str> = list.iter().filter_map(|it| it["name"].as_str()).collect();
                    let there = match all.as_slice() {
                        [] => format!("it has {length}"),
                        all => format!("there are {}", all.join(", ")),
                    };
                    let which = match step {
                        Step::Index(index) => index.to_string(),
                        Step::Field(name) | Step::Key(name) => name.clone(),
                    };
                    return Err(format!("the list has no element `{which}`: {there}"));
                }
            }
            Ok(())
        }
        (Value::Object(fields), Step::Field(name) | Step::Key(name)) => {
            match (rest.is_empty(), new) {
                (true, None) => drop(fields.remove(name)),
                (false, None) if !fields.contains_key(name) => {}
                _ => return put(fields.entry(name.clone()).or_insert(Value::Null), rest, new),
            }
            Ok(())
        }
        (_, step) => Err(format!("there is no place for {step:?}")),
    }
}
