// Package main has what docs/guide shows of the Go SDK: payload encryption and mutual TLS.
package main

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"strings"

	common "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"
)

const (
	encrypted  = "binary/encrypted"
	keyIDEntry = "encryption-key-id"
)

// Codec encrypts payloads as the SDKs' encryption samples do: AES-256-GCM over the whole payload, with
// the nonce before and the tag behind.
type Codec struct {
	keyID string
	keys  map[string]cipher.AEAD
}

// Encode encrypts payloads with the first key of the file.
func (codec *Codec) Encode(payloads []*common.Payload) ([]*common.Payload, error) {
	sealed := make([]*common.Payload, len(payloads))
	key := codec.keys[codec.keyID]
	for index, payload := range payloads {
		plain, err := proto.Marshal(payload)
		if err != nil {
			return nil, err
		}
		nonce := make([]byte, key.NonceSize())
		if _, err := rand.Read(nonce); err != nil {
			return nil, err
		}
		sealed[index] = &common.Payload{
			Metadata: map[string][]byte{
				converter.MetadataEncoding: []byte(encrypted),
				keyIDEntry:                 []byte(codec.keyID),
			},
			Data: key.Seal(nonce, nonce, plain, nil),
		}
	}
	return sealed, nil
}

// Decode decrypts payloads with the keys that they name; what is not encrypted passes.
func (codec *Codec) Decode(payloads []*common.Payload) ([]*common.Payload, error) {
	opened := make([]*common.Payload, len(payloads))
	for index, payload := range payloads {
		if string(payload.GetMetadata()[converter.MetadataEncoding]) != encrypted {
			opened[index] = payload
			continue
		}
		id := string(payload.GetMetadata()[keyIDEntry])
		key, known := codec.keys[id]
		if !known || len(payload.GetData()) < key.NonceSize() {
			return nil, fmt.Errorf("no encryption key %q, or the payload is cut off", id)
		}
		nonce, data := payload.GetData()[:key.NonceSize()], payload.GetData()[key.NonceSize():]
		plain, err := key.Open(nil, nonce, data, nil)
		if err != nil {
			return nil, err
		}
		opened[index] = &common.Payload{}
		if err := proto.Unmarshal(plain, opened[index]); err != nil {
			return nil, err
		}
	}
	return opened, nil
}

// codecOf reads a file of keys: a line `ID: KEY IN BASE64` each, the key that encrypts first.
func codecOf(file string) (*Codec, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	codec := &Codec{keys: map[string]cipher.AEAD{}}
	for lines := bufio.NewScanner(opened); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		at := strings.LastIndex(line, ":")
		if at < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		id, text := strings.TrimSpace(line[:at]), strings.TrimSpace(line[at+1:])
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		if codec.keys[id], err = cipher.NewGCM(block); err != nil {
			return nil, err
		}
		if codec.keyID == "" {
			codec.keyID = id
		}
	}
	if codec.keyID == "" {
		return nil, fmt.Errorf("%s: there is no key", file)
	}
	return codec, nil
}

// encryptedOptions are those of a client that encrypts payloads, and the messages of failures.
func encryptedOptions(address string, codec *Codec) client.Options {
	data := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), codec)
	failures := temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter:          data,
		EncodeCommonAttributes: true,
	})
	return client.Options{HostPort: address, DataConverter: data, FailureConverter: failures}
}
