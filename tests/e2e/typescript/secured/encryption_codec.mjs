/**
 * A payload codec as the SDKs' encryption samples have it: AES-256-GCM over the whole payload, with
 * the nonce before and the tag behind.
 */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { METADATA_ENCODING_KEY } from '@temporalio/common';
import protos from '@temporalio/proto';

const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const { Payload } = protos.temporal.api.common.v1;
const bytes = (text) => new TextEncoder().encode(text);
const text = (data) => new TextDecoder().decode(data);

export class EncryptionCodec {
  /** `keys` maps ids to keys of 32 bytes; `keyId` names the one that encrypts. */
  constructor(keyId, keys) {
    this.keyId = keyId;
    this.keys = keys;
  }

  async encode(payloads) {
    return payloads.map((payload) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', this.keys.get(this.keyId), nonce);
      const sealed = [nonce, cipher.update(Payload.encode(payload).finish()), cipher.final()];
      return {
        metadata: { [METADATA_ENCODING_KEY]: bytes(ENCODING), [KEY_ID]: bytes(this.keyId) },
        data: new Uint8Array(Buffer.concat([...sealed, cipher.getAuthTag()])),
      };
    });
  }

  async decode(payloads) {
    return payloads.map((payload) => {
      const encoding = payload.metadata?.[METADATA_ENCODING_KEY];
      if (!encoding || text(encoding) !== ENCODING) {
        return payload;
      }
      const id = text(payload.metadata[KEY_ID]);
      const key = this.keys.get(id);
      if (!key) {
        throw new Error(`no encryption key ${id}`);
      }
      const data = Buffer.from(payload.data);
      const open = createDecipheriv('aes-256-gcm', key, data.subarray(0, NONCE_BYTES));
      open.setAuthTag(data.subarray(data.length - TAG_BYTES));
      const inner = data.subarray(NONCE_BYTES, data.length - TAG_BYTES);
      return Payload.decode(Buffer.concat([open.update(inner), open.final()]));
    });
  }
}

/** Reads a file of keys: a line `ID: KEY IN BASE64` each, the key that encrypts first. */
export function codecOf(file) {
  const lines = file.split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line && !line.startsWith('#')).map((line) => {
    const at = line.lastIndexOf(':');
    return [line.slice(0, at).trim(), Buffer.from(line.slice(at + 1).trim(), 'base64')];
  });
  return new EncryptionCodec(keys[0][0], new Map(keys));
}
