package longtide.secured;

import com.google.protobuf.util.JsonFormat;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;
import io.temporal.api.common.v1.Payload;
import io.temporal.client.WorkflowClient;
import io.temporal.failure.ApplicationFailure;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.WorkerFactory;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What docs/guide shows of the Java SDK: payload encryption and mutual TLS.
 *
 * <pre>
 * activities ADDRESS TASK_QUEUE KEY_FILE   a worker, until a line on standard input
 * encode|decode KEY_FILE                   a payload on standard input
 * tls ADDRESS ROOTS CERTIFICATE KEY        whether there is a connection
 * </pre>
 */
public final class Secured {
  private Secured() {}

  /** What the worker does. */
  @ActivityInterface
  public interface Charges {
    /** Charges a card. */
    @ActivityMethod(name = "charge")
    String charge(String card);
  }

  static final class Charging implements Charges {
    @Override
    public String charge(String card) {
      if (card.endsWith("expired")) {
        throw ApplicationFailure.newFailure(card + ": refused in Java", "Refused");
      }
      return card + ": charged in Java";
    }
  }

  /** Does what the arguments say. */
  public static void main(String[] arguments) throws Exception {
    switch (arguments[0]) {
      case "activities" -> work(arguments[1], arguments[2], Path.of(arguments[3]));
      case "encode", "decode" -> code(arguments[0], Path.of(arguments[1]));
      case "tls" -> connect(arguments);
      default -> throw new IllegalArgumentException(arguments[0]);
    }
    System.exit(0);
  }

  private static void work(String address, String queue, Path keys) throws IOException {
    WorkflowServiceStubs stubs =
        WorkflowServiceStubs.newServiceStubs(
            WorkflowServiceStubsOptions.newBuilder().setTarget(address).build());
    WorkflowClient client =
        WorkflowClient.newInstance(stubs, EncryptionCodec.encryptedOptions(keys));
    WorkerFactory factory = WorkerFactory.newInstance(client);
    factory.newWorker(queue).registerActivitiesImplementations(new Charging());
    factory.start();
    System.out.println("polls");
    System.in.read();
    factory.shutdown();
    factory.awaitTermination(10, TimeUnit.SECONDS);
  }

  private static void code(String way, Path keys) throws IOException {
    EncryptionCodec codec = new EncryptionCodec(keys);
    String text = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
    Payload.Builder payload = Payload.newBuilder();
    JsonFormat.parser().merge(text, payload);
    List<Payload> given = List.of(payload.build());
    List<Payload> coded = way.equals("encode") ? codec.encode(given) : codec.decode(given);
    System.out.println(JsonFormat.printer().print(coded.get(0)));
  }

  /** A connection that shows a certificate and asks for the server's. */
  static WorkflowServiceStubs overMutualTls(
      String address, File roots, File certificate, File key) throws IOException {
    SslContext context =
        GrpcSslContexts.forClient().trustManager(roots).keyManager(certificate, key).build();
    return WorkflowServiceStubs.newServiceStubs(
        WorkflowServiceStubsOptions.newBuilder().setTarget(address).setSslContext(context).build());
  }

  private static void connect(String[] arguments) throws IOException {
    WorkflowServiceStubs stubs =
        overMutualTls(
            arguments[1], new File(arguments[2]), new File(arguments[3]), new File(arguments[4]));
    stubs.connect(Duration.ofSeconds(10));
    System.out.println("connected");
  }
}
