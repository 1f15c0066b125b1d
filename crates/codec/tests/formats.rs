//! What the formats are, and what each of them refuses.

#[cfg(test)]
mod tests {
    use std::future::Future;

    use bytes::Bytes;
    use futures_util::FutureExt;
    use longtide_codec::{
        Chain, Codec, CodecError, Compression, Context, ENCRYPTED, ENVELOPE, Encryption,
        EnvelopeEncryption, KeyRing, Payload, RequireEncryption,
    };

    /// The key of the SDKs' samples.
    const SAMPLE_KEY: [u8; 32] = *b"test-key-test-key-test-key-test!";

    fn ring() -> KeyRing {
        KeyRing::new("test-key-id", SAMPLE_KEY)
    }

    fn hello() -> Payload {
        Payload::new("json/plain", "\"hello\"")
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        future.now_or_never().unwrap()
    }

    fn encoded(codec: &impl Codec, context: &Context, payload: Payload) -> Payload {
        now(codec.encode(context, vec![payload])).unwrap().remove(0)
    }

    fn decoded(
        codec: &impl Codec,
        context: &Context,
        payload: Payload,
    ) -> Result<Payload, CodecError> {
        now(codec.decode(context, vec![payload])).map(|mut payloads| payloads.remove(0))
    }

    #[test]
    fn encryption_has_the_layout_of_the_samples() {
        let codec = Encryption::new(&ring()).unwrap();
        let context = Context::default();
        let sealed = encoded(&codec, &context, hello());
        assert_eq!(sealed.encoding(), ENCRYPTED.as_bytes());
        assert_eq!(sealed.metadata("encryption-key-id"), b"test-key-id");
        assert_eq!(sealed.metadata.iter().count(), 2);
        // Nonce, the inner payload of 33 bytes, tag.
        assert_eq!(sealed.data.len(), 61);
        assert_ne!(sealed, encoded(&codec, &context, hello()), "a nonce was used twice");
        assert_eq!(decoded(&codec, &context, sealed).unwrap(), hello());
    }

    /// Made with Node's `crypto`, as the samples for TypeScript do it.
    #[test]
    fn what_another_implementation_encrypted_opens() {
        let data = Bytes::from_static(&NODE_CIPHERTEXT);
        let sealed = Payload::new(ENCRYPTED, data).with("encryption-key-id", "test-key-id");
        let codec = Encryption::new(&ring()).unwrap();
        assert_eq!(decoded(&codec, &Context::default(), sealed).unwrap(), hello());
    }

    const NODE_CIPHERTEXT: [u8; 61] = [
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0xf9, 0x2b, 0x89,
        0xda, 0x27, 0x68, 0x61, 0xd2, 0x65, 0x73, 0x95, 0xa2, 0xa3, 0xf7, 0xf7, 0xd1, 0xe8, 0xa4,
        0x56, 0x22, 0x93, 0x85, 0x92, 0xd0, 0x67, 0xe3, 0xa3, 0x08, 0x72, 0xe1, 0x48, 0x82, 0x2d,
        0x9c, 0x2c, 0xba, 0x56, 0x97, 0x3a, 0x6c, 0x0e, 0x01, 0xa2, 0x10, 0x5e, 0x6a, 0xfc, 0x4a,
        0xbf,
    ];

    #[test]
    fn what_was_changed_does_not_open() {
        let context = Context::of_namespace("orders");
        let plain = Encryption::new(&ring()).unwrap();
        let envelope = EnvelopeEncryption::new(&ring()).unwrap();
        let codecs: [&dyn Codec; 2] = [&plain, &envelope];
        for codec in codecs.map(Any) {
            let sealed = encoded(&codec, &context, hello());
            for index in 0..sealed.data.len() {
                let mut data = sealed.data.to_vec();
                data[index] ^= 1;
                let changed = Payload { data: data.into(), ..sealed.clone() };
                let error = decoded(&codec, &context, changed).unwrap_err();
                assert!(matches!(error, CodecError::DoesNotOpen(_)), "byte {index}: {error}");
            }
            for length in [0, 11, 27] {
                let data = sealed.data.slice(..length);
                let error = decoded(&codec, &context, Payload { data, ..sealed.clone() });
                assert!(matches!(error, Err(CodecError::TooShort(_))), "{length}: {error:?}");
            }
            let foreign = sealed.clone().with("encryption-key-id", "other");
            let error = decoded(&codec, &context, foreign).unwrap_err();
            assert!(matches!(&error, CodecError::UnknownKey(id) if id == "other"), "{error}");
            let mut nameless = sealed;
            nameless.metadata.remove("encryption-key-id");
            let error = decoded(&codec, &context, nameless).unwrap_err();
            assert!(matches!(error, CodecError::NoKeyId), "{error}");
        }
    }

    struct Any<'c>(&'c dyn Codec);

    impl Codec for Any<'_> {
        fn encode<'a>(
            &'a self,
            context: &'a Context,
            payloads: Vec<Payload>,
        ) -> longtide_codec::Coded<'a> {
            self.0.encode(context, payloads)
        }

        fn decode<'a>(
            &'a self,
            context: &'a Context,
            payloads: Vec<Payload>,
        ) -> longtide_codec::Coded<'a> {
            self.0.decode(context, payloads)
        }
    }

    #[test]
    fn payloads_of_all_sizes_come_back_in_their_order_whoever_holds_what_was_sent() {
        let context = Context::of_namespace("orders");
        let sizes = [0, 1, 40_000, 3, 5_000, 16_384, 16_383, 60_000, 200_000, 7, 30_000, 4_095, 0];
        let payloads: Vec<_> = (0..).zip(sizes).map(|(number, size)| sized(number, size)).collect();
        let plain = Encryption::new(&ring()).unwrap();
        let envelope = EnvelopeEncryption::new(&ring()).unwrap();
        let codecs: [&dyn Codec; 2] = [&plain, &envelope];
        for codec in codecs {
            let sealed = now(codec.encode(&context, payloads.clone())).unwrap();
            assert!(sealed.iter().zip(sizes).all(|(payload, size)| payload.data.len() > size));
            let held = sealed.clone();
            // The same payloads, each in a place of its own, which nobody else holds.
            let alone = sealed.iter().map(|payload| Payload {
                data: Bytes::copy_from_slice(&payload.data),
                ..payload.clone()
            });
            let alone = alone.collect();
            assert_eq!(now(codec.decode(&context, sealed)).unwrap(), payloads);
            assert_eq!(now(codec.decode(&context, alone)).unwrap(), payloads);
            assert_eq!(now(codec.decode(&context, held)).unwrap(), payloads, "what was held");
        }
    }

    fn sized(number: u8, size: usize) -> Payload {
        let data: Vec<_> = (0..size).map(|place| number ^ (place / 7) as u8).collect();
        Payload::new("json/plain", data).with("number", [number])
    }

    #[test]
    fn older_keys_still_open_and_the_first_one_encrypts() {
        let context = Context::default();
        let old = EnvelopeEncryption::new(&KeyRing::new("old", [1; 32])).unwrap();
        let sealed = encoded(&old, &context, hello());
        let rotated = KeyRing::new("new", [2; 32]).with("old", [1; 32]).unwrap();
        let rotated = EnvelopeEncryption::new(&rotated).unwrap();
        assert_eq!(decoded(&rotated, &context, sealed).unwrap(), hello());
        let sealed = encoded(&rotated, &context, hello());
        assert_eq!(sealed.metadata("encryption-key-id"), b"new");
        let error = decoded(&old, &context, sealed).unwrap_err();
        assert!(matches!(error, CodecError::UnknownKey(_)), "{error}");
    }

    #[test]
    fn an_envelope_opens_where_it_belongs_and_nowhere_else() {
        let codec = EnvelopeEncryption::new(&ring()).unwrap();
        let here = Context { namespace: "orders".to_owned(), workflow_id: "order-1".to_owned() };
        let sealed = encoded(&codec, &here, hello());
        assert_eq!(sealed.encoding(), ENVELOPE.as_bytes());
        assert_eq!(decoded(&codec, &here, sealed.clone()).unwrap(), hello());
        let elsewhere = [
            Context { workflow_id: "order-2".to_owned(), ..here.clone() },
            Context { namespace: "invoices".to_owned(), ..here.clone() },
            Context::of_namespace("orders"),
            Context::default(),
        ];
        for context in elsewhere {
            let error = decoded(&codec, &context, sealed.clone()).unwrap_err();
            assert!(matches!(error, CodecError::DoesNotOpen(_)), "{context:?}: {error}");
        }
        let unbound = sealed.with("encryption-context", "");
        let error = decoded(&codec, &here, unbound).unwrap_err();
        assert!(matches!(error, CodecError::DoesNotOpen(_)), "{error}");
    }

    #[test]
    fn an_envelope_of_the_namespace_opens_in_all_its_workflows() {
        let codec = EnvelopeEncryption::new(&ring()).unwrap();
        let sealed = encoded(&codec, &Context::of_namespace("orders"), hello());
        let here = Context { namespace: "orders".to_owned(), workflow_id: "order-1".to_owned() };
        assert_eq!(decoded(&codec, &here, sealed).unwrap(), hello());
    }

    #[test]
    fn data_keys_are_shared_by_payloads_and_kept_by_namespace() {
        let codec = EnvelopeEncryption::new(&ring()).unwrap();
        let key = |namespace: &str| {
            let sealed = encoded(&codec, &Context::of_namespace(namespace), hello());
            sealed.metadata("encryption-data-key").to_vec()
        };
        assert_eq!(key("orders"), key("orders"));
        assert_ne!(key("orders"), key("invoices"));
    }

    #[test]
    fn envelope_encryption_reads_the_samples_format_too() {
        let context = Context::of_namespace("orders");
        let sealed = encoded(&Encryption::new(&ring()).unwrap(), &context, hello());
        let codec = EnvelopeEncryption::new(&ring()).unwrap();
        assert_eq!(decoded(&codec, &context, sealed).unwrap(), hello());
        let later = encoded(&codec, &context, hello()).with("encryption-format", "2");
        let error = decoded(&codec, &context, later).unwrap_err();
        assert!(matches!(&error, CodecError::UnknownFormat(format) if format == "2"), "{error}");
    }

    #[test]
    fn compression_is_kept_where_it_helps() {
        let context = Context::default();
        let large = Payload::new("json/plain", format!("\"{}\"", "a".repeat(10_000)));
        for (codec, encoding) in [(Compression::zlib(), "zlib"), (Compression::zstd(), "zstd")] {
            let small = encoded(&codec, &context, large.clone());
            assert_eq!(small.encoding(), format!("binary/{encoding}").as_bytes());
            assert!(small.data.len() < 200);
            assert_eq!(decoded(&Compression::zlib(), &context, small).unwrap(), large);
            assert_eq!(encoded(&codec, &context, hello()), hello());
        }
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let context = Context::default();
        let bomb = Payload::new("binary/plain", vec![0; longtide_codec::INFLATED_BYTES_MAX + 1]);
        for codec in [Compression::zlib(), Compression::zstd()] {
            let small = encoded(&codec, &context, bomb.clone());
            let error = decoded(&codec, &context, small).unwrap_err();
            assert!(matches!(error, CodecError::TooLarge(_)), "{error}");
            let broken = Payload::new("binary/zlib", "no zlib").with("encoding", "binary/zstd");
            let error = decoded(&codec, &context, broken).unwrap_err();
            assert!(matches!(error, CodecError::Decompression(_)), "{error}");
        }
    }

    #[test]
    fn a_chain_compresses_before_it_encrypts() {
        let context = Context::default();
        let large = Payload::new("json/plain", "a".repeat(10_000));
        let codec = Chain::of(Encryption::new(&ring()).unwrap()).after(Compression::zlib());
        let sealed = encoded(&codec, &context, large.clone());
        assert_eq!(sealed.encoding(), ENCRYPTED.as_bytes());
        assert!(sealed.data.len() < 200);
        assert_eq!(decoded(&codec, &context, sealed).unwrap(), large);
    }

    #[test]
    fn payloads_of_nobody_s_codec_pass_unless_encryption_is_required() {
        let context = Context::default();
        let codec = Chain::of(Encryption::new(&ring()).unwrap()).after(Compression::zlib());
        assert_eq!(decoded(&codec, &context, hello()).unwrap(), hello());
        let strict = Chain::of(RequireEncryption::new().except("binary/null"))
            .after(Encryption::new(&ring()).unwrap());
        let error = decoded(&strict, &context, hello()).unwrap_err();
        assert!(matches!(&error, CodecError::NotEncrypted(of) if of == "json/plain"), "{error}");
        let nothing = Payload::new("binary/null", "");
        assert_eq!(decoded(&strict, &context, nothing.clone()).unwrap(), nothing);
        let sealed = encoded(&strict, &context, hello());
        assert_eq!(decoded(&strict, &context, sealed).unwrap(), hello());
    }

    #[test]
    fn no_key_is_printed() {
        let text = format!(
            "{:?} {:?} {:?}",
            ring(),
            Encryption::new(&ring()).unwrap(),
            EnvelopeEncryption::new(&ring()).unwrap()
        );
        assert!(text.contains("test-key-id") && !text.contains("test-key-test"), "{text}");
        assert!(!text.contains("116, 101, 115"), "{text}");
    }
}
