//! What administrators see of sessions, which are other people's: whose, since when and from where.
//! Nothing of it signs anybody in.

use environment::Entropy;
use model::Time;
use prost::Message;
use prost_types::Timestamp;
use serde_json::{Value, json};

use crate::{
    sealing::{Secret, open, seal},
    session::{PREFIX, Record},
};

/// Length of the id by which people name a session, in characters of six bits.
const ID_LENGTH: usize = 16;

/// Who has signed in. Tags are part of the stored format.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Listed {
    #[prost(string, tag = "1")]
    pub(crate) provider: String,
    #[prost(string, tag = "2")]
    pub(crate) subject: String,
    #[prost(string, tag = "3")]
    pub(crate) name: String,
    #[prost(string, tag = "4")]
    pub(crate) email: String,
    /// The address that the browser came from; that of a proxy where one is between.
    #[prost(string, tag = "5")]
    pub(crate) address: String,
}

impl Listed {
    /// Seals it with the key of the cell, for one session.
    pub(crate) fn sealed(&self, key: &Secret, place: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        seal(key, entropy, place, self.encode_to_vec()).unwrap_or_default()
    }

    /// What was sealed; nothing is known of a session of a release that did not list any.
    fn open(key: &Secret, place: &[u8], record: &Record) -> Self {
        let plain = open(key, place, &record.listed).unwrap_or_default();
        Self::decode(plain.as_slice()).unwrap_or_default()
    }
}

/// The id by which people name a session. It follows from where the session is stored, and leads to
/// no cookie.
pub(crate) fn id_of(place: &[u8]) -> String {
    let name = place.get(PREFIX.len()..).unwrap_or_default();
    String::from_utf8_lossy(name.get(..ID_LENGTH).unwrap_or(name)).into_owned()
}

/// A session as administrators see it. Clients of other releases read it: never reuse a tag.
#[derive(Clone, PartialEq, Message)]
pub struct OpenSession {
    /// By what it is named here.
    #[prost(string, tag = "1")]
    pub id: String,
    /// The name of whose it is.
    #[prost(string, tag = "2")]
    pub name: String,
    /// The mail address; empty when the provider does not say.
    #[prost(string, tag = "3")]
    pub email: String,
    /// By what the provider knows the person.
    #[prost(string, tag = "4")]
    pub subject: String,
    /// The provider's name in the configuration.
    #[prost(string, tag = "5")]
    pub provider: String,
    /// The address that the browser signed in from.
    #[prost(string, tag = "6")]
    pub address: String,
    /// When it began.
    #[prost(message, optional, tag = "7")]
    pub created: Option<Timestamp>,
    /// When it was used last.
    #[prost(message, optional, tag = "8")]
    pub used: Option<Timestamp>,
    /// When it ends unless it is used meanwhile.
    #[prost(message, optional, tag = "9")]
    pub expires: Option<Timestamp>,
}

impl OpenSession {
    pub(crate) fn of(key: &Secret, place: &[u8], record: &Record, expires: Time) -> Self {
        let Listed { provider, subject, name, email, address } = Listed::open(key, place, record);
        Self {
            id: id_of(place),
            name,
            email,
            subject,
            provider,
            address,
            created: Time::from_nanos(record.created).to_proto(),
            used: Time::from_nanos(record.used).to_proto(),
            expires: expires.to_proto(),
        }
    }

    /// Whether it is the one, or of the person, that a request names.
    pub(crate) fn is_meant(&self, request: &EndSessionRequest) -> bool {
        let person = request.person.as_str();
        let is_named = !request.id.is_empty() && self.id == request.id;
        let is_of_person = !person.is_empty()
            && (self.subject == person || self.email.eq_ignore_ascii_case(person));
        is_named || is_of_person
    }

    /// As pages read it.
    pub fn to_json(&self) -> Value {
        let text = |time: &Option<Timestamp>| time.as_ref().map(rfc3339);
        json!({
            "id": self.id,
            "name": self.name,
            "email": self.email,
            "subject": self.subject,
            "provider": self.provider,
            "address": self.address,
            "created": text(&self.created),
            "used": text(&self.used),
            "expires": text(&self.expires),
        })
    }
}

/// A time as people write it, to the second.
fn rfc3339(time: &Timestamp) -> String {
    jiff::Timestamp::from_second(time.seconds).map(|time| time.to_string()).unwrap_or_default()
}

/// Asks which sessions there are.
#[derive(Clone, PartialEq, Message)]
pub struct ListSessionsRequest {}

/// The sessions that were used last, the last one first.
#[derive(Clone, PartialEq, Message)]
pub struct ListSessionsResponse {
    /// The sessions.
    #[prost(message, repeated, tag = "1")]
    pub sessions: Vec<OpenSession>,
    /// How many there are; the list may hold fewer.
    #[prost(uint32, tag = "2")]
    pub total: u32,
}

/// Asks to end one session, or all of a person.
#[derive(Clone, PartialEq, Message)]
pub struct EndSessionRequest {
    /// The session's id.
    #[prost(string, tag = "1")]
    pub id: String,
    /// A subject or a mail address.
    #[prost(string, tag = "2")]
    pub person: String,
}

/// Those that have ended.
#[derive(Clone, PartialEq, Message)]
pub struct EndSessionResponse {
    /// The sessions.
    #[prost(message, repeated, tag = "1")]
    pub ended: Vec<OpenSession>,
}

#[cfg(test)]
mod tests {
    use environment::SeededEntropy;

    use super::*;
    use crate::session::SessionId;

    fn alice() -> Listed {
        Listed {
            provider: "people".to_owned(),
            subject: "42".to_owned(),
            name: "Alice".to_owned(),
            email: "alice@example.com".to_owned(),
            address: "10.0.0.7".to_owned(),
        }
    }

    #[test]
    fn only_the_cell_s_key_tells_whose_a_session_is_and_of_no_other() {
        let entropy = SeededEntropy::new(1);
        let place = SessionId::new(&entropy).key();
        let listed = alice().sealed(&[1; 32], &place, &entropy).into();
        let record = Record { listed, ..Record::default() };
        let stored = record.encode_to_vec();
        assert!(!stored.windows(5).any(|part| part == b"Alice"));
        let name = |key, place: &[u8]| OpenSession::of(key, place, &record, Time::UNSET).name;
        assert_eq!(name(&[1; 32], &place), "Alice");
        assert_eq!(name(&[2; 32], &place), "");
        assert_eq!(name(&[1; 32], &SessionId::new(&entropy).key()), "");
    }

    #[test]
    fn an_id_says_nothing_of_the_cookie() {
        let id = SessionId::new(&SeededEntropy::new(1));
        let shown = id_of(&id.key());
        assert_eq!(shown.len(), ID_LENGTH);
        assert!(!id.text().contains(&shown) && !id.csrf_token().contains(&shown));
    }

    #[test]
    fn a_session_is_named_by_its_id_or_by_whose_it_is() {
        let session = OpenSession {
            id: "i".to_owned(),
            subject: "42".to_owned(),
            email: "alice@example.com".to_owned(),
            ..OpenSession::default()
        };
        let is_meant = |id: &str, person: &str| {
            let request = EndSessionRequest { id: id.to_owned(), person: person.to_owned() };
            session.is_meant(&request)
        };
        assert!(is_meant("i", "") && is_meant("", "42") && is_meant("", "Alice@example.com"));
        assert!(!is_meant("", "") && !is_meant("j", "") && !is_meant("", "i"));
        let unknown = OpenSession::default();
        assert!(!unknown.is_meant(&EndSessionRequest::default()));
    }
}
