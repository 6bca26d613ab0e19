//! Uids. Nearly all are UUIDs, and a world has millions of them: those are kept as the sixteen
//! bytes that they are, and written out where somebody reads them.

use std::fmt;
use std::ops::Deref;

use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::Name;

/// The uid of an object.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Uid(Inner);

#[derive(Clone, Default, PartialEq, Eq)]
enum Inner {
    #[default]
    None,
    /// One whose text is that of a UUID, as it is written here.
    Uuid(Uuid),
    /// Any other text, which is not empty.
    Text(Name),
}

/// The text of a uid.
pub struct UidText<'u>(Written<'u>);

enum Written<'u> {
    Here([u8; Hyphenated::LENGTH]),
    There(&'u str),
}

impl Uid {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == Inner::None
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> UidText<'_> {
        UidText(match &self.0 {
            Inner::None => Written::There(""),
            Inner::Uuid(uuid) => {
                let mut text = [0; Hyphenated::LENGTH];
                uuid.hyphenated().encode_lower(&mut text);
                Written::Here(text)
            }
            Inner::Text(text) => Written::There(text),
        })
    }

    /// Its text, to be shared.
    #[must_use]
    pub fn name(&self) -> Name {
        match &self.0 {
            Inner::Text(text) => text.clone(),
            Inner::None | Inner::Uuid(_) => (&*self.text()).into(),
        }
    }
}

impl Deref for UidText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            // What a UUID is written in is ASCII.
            Written::Here(text) => std::str::from_utf8(text).unwrap_or_default(),
            Written::There(text) => text,
        }
    }
}

impl From<Uuid> for Uid {
    fn from(uuid: Uuid) -> Self {
        Uid(Inner::Uuid(uuid))
    }
}

impl From<&str> for Uid {
    fn from(text: &str) -> Self {
        if text.is_empty() {
            return Uid::default();
        }
        // A UUID can be written in other ways; then it is another text.
        let uuid = Some(text).filter(|text| text.len() == Hyphenated::LENGTH);
        let uuid = uuid.and_then(|text| Uuid::try_parse(text).ok()).map(Uid::from);
        uuid.filter(|uid| *uid == *text).unwrap_or_else(|| Uid(Inner::Text(text.into())))
    }
}

impl PartialEq<str> for Uid {
    fn eq(&self, text: &str) -> bool {
        *self.text() == *text
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_the_text_that_was_given() {
        let uuid = "6473bdd5-8d73-5f75-8d73-6e616d657370";
        for text in [
            "",
            "u-1",
            uuid,
            &uuid.to_uppercase(),
            &uuid.replace('-', ""),
            "6473bdd5-8d73-5f75-8d73-6e616d65737g",
        ] {
            let uid = Uid::from(text);
            assert_eq!((&*uid.text(), &*uid.name(), uid.to_string().as_str()), (text, text, text));
            assert_eq!(uid.is_empty(), text.is_empty());
            assert!(uid == *text && uid != *"other");
        }
        assert_ne!(Uid::from(uuid), Uid::from(uuid.to_uppercase().as_str()));
        assert!(size_of::<Uid>() <= 24);
    }
}
