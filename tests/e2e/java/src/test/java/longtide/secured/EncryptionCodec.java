package longtide.secured;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.temporal.api.common.v1.Payload;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.common.converter.CodecDataConverter;
import io.temporal.common.converter.DataConverter;
import io.temporal.common.converter.DataConverterException;
import io.temporal.common.converter.DefaultDataConverter;
import io.temporal.payload.codec.PayloadCodec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Encrypts payloads as the SDKs' encryption samples do: AES-256-GCM over the whole payload, with the
 * nonce before and the tag behind.
 */
final class EncryptionCodec implements PayloadCodec {
  private static final ByteString ENCODING = ByteString.copyFromUtf8("binary/encrypted");
  private static final String KEY_ID = "encryption-key-id";
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;

  private final SecureRandom random = new SecureRandom();
  private final String keyId;
  private final Map<String, byte[]> keys;

  /** Reads a file of keys: a line `ID: KEY IN BASE64` each, the key that encrypts first. */
  EncryptionCodec(Path file) throws IOException {
    keys = new LinkedHashMap<>();
    for (String line : Files.readAllLines(file)) {
      int at = line.lastIndexOf(':');
      if (at > 0 && !line.startsWith("#")) {
        String key = line.substring(at + 1).trim();
        keys.put(line.substring(0, at).trim(), Base64.getDecoder().decode(key));
      }
    }
    keyId = keys.keySet().iterator().next();
  }

  @Override
  public List<Payload> encode(List<Payload> payloads) {
    return payloads.stream().map(this::encrypted).toList();
  }

  @Override
  public List<Payload> decode(List<Payload> payloads) {
    return payloads.stream().map(this::decrypted).toList();
  }

  private Payload encrypted(Payload payload) {
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    byte[] sealed = crypt(Cipher.ENCRYPT_MODE, keyId, nonce, payload.toByteArray());
    return Payload.newBuilder()
        .putMetadata("encoding", ENCODING)
        .putMetadata(KEY_ID, ByteString.copyFromUtf8(keyId))
        .setData(ByteString.copyFrom(nonce).concat(ByteString.copyFrom(sealed)))
        .build();
  }

  private Payload decrypted(Payload payload) {
    if (!ENCODING.equals(payload.getMetadataMap().get("encoding"))) {
      return payload;
    }
    String id = payload.getMetadataOrDefault(KEY_ID, ByteString.EMPTY).toStringUtf8();
    byte[] data = payload.getData().toByteArray();
    byte[] nonce = Arrays.copyOf(data, NONCE_BYTES);
    byte[] sealed = Arrays.copyOfRange(data, NONCE_BYTES, data.length);
    try {
      return Payload.parseFrom(crypt(Cipher.DECRYPT_MODE, id, nonce, sealed));
    } catch (InvalidProtocolBufferException error) {
      throw new DataConverterException(error);
    }
  }

  private byte[] crypt(int mode, String id, byte[] nonce, byte[] data) {
    if (!keys.containsKey(id)) {
      throw new DataConverterException("no encryption key " + id);
    }
    try {
      Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
      SecretKeySpec key = new SecretKeySpec(keys.get(id), "AES");
      cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
      return cipher.doFinal(data);
    } catch (GeneralSecurityException error) {
      throw new DataConverterException(error);
    }
  }

  /** The options of a client that encrypts payloads, and the messages of failures. */
  static WorkflowClientOptions encryptedOptions(Path keys) throws IOException {
    DataConverter converter =
        new CodecDataConverter(
            DefaultDataConverter.newDefaultInstance(), List.of(new EncryptionCodec(keys)), true);
    return WorkflowClientOptions.newBuilder().setDataConverter(converter).build();
  }
}
