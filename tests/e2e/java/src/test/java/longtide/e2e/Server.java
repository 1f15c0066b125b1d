package longtide.e2e;

import io.grpc.StatusRuntimeException;
import io.temporal.api.workflowservice.v1.DescribeNamespaceRequest;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;

/** The server under test: one process on a port of its own. */
final class Server implements AutoCloseable {
  private static final Duration START_WITHIN = Duration.ofSeconds(30);

  private final Process process;
  private final WorkflowServiceStubs stubs;

  /** Starts a server and returns once it answers the health check. */
  Server() throws IOException {
    String executable = System.getenv("LONGTIDE_E2E_SERVER");
    if (executable == null) {
      throw new IllegalStateException("LONGTIDE_E2E_SERVER must name the server's executable");
    }
    int port = freePort();
    process =
        new ProcessBuilder(
                executable, "server", "start-dev", "--port", "" + port, "--headless",
                "--log-level", "warn")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    stubs =
        WorkflowServiceStubs.newServiceStubs(
            WorkflowServiceStubsOptions.newBuilder().setTarget("127.0.0.1:" + port).build());
    stubs.connect(START_WITHIN);
    awaitDefaultNamespace();
  }

  WorkflowServiceStubs stubs() {
    return stubs;
  }

  private void awaitDefaultNamespace() {
    Await.until(
        () -> {
          try {
            stubs
                .blockingStub()
                .describeNamespace(
                    DescribeNamespaceRequest.newBuilder()
                        .setNamespace("default")
                        .build());
            return true;
          } catch (StatusRuntimeException notYet) {
            return false;
          }
        });
  }

  private static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    }
  }

  @Override
  public void close() {
    stubs.shutdownNow();
    process.destroyForcibly();
  }
}
