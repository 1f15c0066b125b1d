//! A history as the bytes it is stored and sent as.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::{
    DecodeError, Message,
    encoding::{DecodeContext, WireType, encode_key, encode_varint},
};

use crate::temporal::api::history::v1::HistoryEvent;

/// A decoded `temporal.api.history.v1.History`, for those who need the events themselves.
#[derive(Clone, PartialEq, Message)]
pub struct History {
    #[prost(message, repeated, tag = "1")]
    pub events: Vec<HistoryEvent>,
}

/// An encoded `temporal.api.history.v1.History`: zero or more encoded `History` messages, one
/// after the other, which by protobuf's rules is again a `History`.
///
/// It stands wherever a message has a field of type `History`, so that a server passes stored
/// batches through to its caller without decoding them.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct RawHistory {
    encoded: Bytes,
}

impl RawHistory {
    /// Takes bytes that are known to be an encoded `History`.
    pub fn from_encoded(encoded: Bytes) -> Self {
        Self { encoded }
    }

    /// Joins encoded histories in order.
    pub fn concatenate<'a>(parts: impl IntoIterator<Item = &'a Bytes>) -> Self {
        let mut encoded = BytesMut::new();
        for part in parts {
            encoded.extend_from_slice(part);
        }
        Self { encoded: encoded.freeze() }
    }

    /// The encoded form.
    pub fn encoded(&self) -> &Bytes {
        &self.encoded
    }

    /// Decodes the events.
    ///
    /// # Errors
    /// When the bytes are not an encoded `History`.
    pub fn decode_events(&self) -> Result<Vec<HistoryEvent>, DecodeError> {
        Ok(History::decode(self.encoded.clone())?.events)
    }
}

impl From<Vec<HistoryEvent>> for RawHistory {
    fn from(events: Vec<HistoryEvent>) -> Self {
        Self { encoded: History { events }.encode_to_vec().into() }
    }
}

impl std::fmt::Debug for RawHistory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "RawHistory({} bytes)", self.encoded.len())
    }
}

impl Message for RawHistory {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        buffer.put_slice(&self.encoded);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        let mut merged = BytesMut::from(self.encoded.as_ref());
        if wire_type == WireType::LengthDelimited {
            let mut field = Bytes::new();
            prost::encoding::bytes::merge(wire_type, &mut field, buffer, context)?;
            encode_key(tag, wire_type, &mut merged);
            encode_varint(field.len() as u64, &mut merged);
            merged.extend_from_slice(&field);
        } else {
            prost::encoding::skip_field(wire_type, tag, buffer, context)?;
        }
        self.encoded = merged.freeze();
        Ok(())
    }

    fn encoded_len(&self) -> usize {
        self.encoded.len()
    }

    fn clear(&mut self) {
        self.encoded = Bytes::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temporal::api::workflowservice::v1::GetWorkflowExecutionHistoryResponse;

    fn event(event_id: i64) -> HistoryEvent {
        HistoryEvent { event_id, ..Default::default() }
    }

    #[test]
    fn stored_batches_pass_through_a_response() {
        let batches: Vec<Bytes> = [vec![event(1), event(2)], vec![event(3)]]
            .map(|events| RawHistory::from(events).encoded().clone())
            .into();
        let response = GetWorkflowExecutionHistoryResponse {
            history: Some(RawHistory::concatenate(&batches)),
            ..Default::default()
        };
        let wire = response.encode_to_vec();
        let decoded = GetWorkflowExecutionHistoryResponse::decode(wire.as_slice()).unwrap();
        assert_eq!(decoded, response);
        let events = decoded.history.unwrap().decode_events().unwrap();
        assert_eq!(events, [event(1), event(2), event(3)]);
    }
}
