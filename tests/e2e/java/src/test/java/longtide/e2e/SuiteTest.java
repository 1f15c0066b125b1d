package longtide.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.temporal.api.enums.v1.RetryState;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowFailedException;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.common.WorkflowExecutionHistory;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TerminatedFailure;
import io.temporal.testing.WorkflowReplayer;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Drives a real server process with the unmodified Java SDK. */
final class SuiteTest {
  private static final Class<?>[] WORKFLOWS = {
    Workflows.DoublesWorkflow.class,
    Workflows.RetriesWorkflow.class,
    Workflows.SleepsWorkflow.class,
    Workflows.CountsWorkflow.class
  };

  private static final Map<String, String> ABBREVIATIONS =
      Map.of(
          "Started", "WorkflowExecutionStarted",
          "WorkflowTask", "WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskCompleted",
          "Activity", "ActivityTaskScheduled ActivityTaskStarted ActivityTaskCompleted",
          "Signaled", "WorkflowExecutionSignaled",
          "CancelRequested", "WorkflowExecutionCancelRequested",
          "Completed", "WorkflowExecutionCompleted",
          "Failed", "WorkflowExecutionFailed",
          "Canceled", "WorkflowExecutionCanceled",
          "Terminated", "WorkflowExecutionTerminated");

  private static Server server;
  private final String queue = "queue-" + UUID.randomUUID();
  private final String workflowId = "workflow-" + UUID.randomUUID();
  private WorkflowClient client;
  private WorkerFactory factory;

  @BeforeAll
  static void startServer() throws IOException {
    server = new Server();
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @BeforeEach
  void startWorker() {
    client = WorkflowClient.newInstance(server.stubs());
    factory = WorkerFactory.newInstance(client);
    Worker worker = factory.newWorker(queue);
    worker.registerWorkflowImplementationTypes(WORKFLOWS);
    worker.registerActivitiesImplementations(new Workflows.ArithmeticActivities());
    factory.start();
  }

  @AfterEach
  void stopWorker() {
    factory.shutdownNow();
    factory.awaitTermination(20, TimeUnit.SECONDS);
  }

  @Test
  void anActivityGivesItsResult() throws Exception {
    WorkflowStub run = start("Doubles", 21);
    assertEquals(42, run.getResult(Integer.class));
    assertHistory("Started WorkflowTask Activity WorkflowTask Completed");
  }

  @Test
  void anActivityRetries() throws Exception {
    WorkflowStub run = start("Retries", 2);
    assertEquals(2, run.getResult(Integer.class));
    assertHistory("Started WorkflowTask Activity WorkflowTask Completed");
  }

  @Test
  void anActivityWithoutAttemptsLeftFails() throws Exception {
    WorkflowStub run = start("Retries", 3);
    Throwable failed =
        assertThrows(WorkflowFailedException.class, () -> run.getResult(Integer.class));
    ActivityFailure cause = assertInstanceOf(ActivityFailure.class, failed.getCause());
    assertEquals(RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED, cause.getRetryState());
    assertHistory(
        "Started WorkflowTask ActivityTaskScheduled ActivityTaskStarted ActivityTaskFailed"
            + " WorkflowTask Failed");
  }

  @Test
  void aTimerFires() throws Exception {
    WorkflowStub run = start("Sleeps");
    assertEquals("slept", run.getResult(String.class));
    assertHistory("Started WorkflowTask TimerStarted TimerFired WorkflowTask Completed");
  }

  @Test
  void signalsAndQueriesSeeEachOther() throws Exception {
    WorkflowStub run = start("Counts");
    awaitIdle(1);
    run.signal("add", 5);
    awaitIdle(2);
    assertEquals(5, run.query("total", Integer.class));
    run.signal("finish");
    assertEquals(5, run.getResult(Integer.class));
    assertEquals(5, run.query("total", Integer.class));
    assertHistory("Started WorkflowTask Signaled WorkflowTask Signaled WorkflowTask Completed");
  }

  @Test
  void aCancellationCancelsTheRun() throws Exception {
    WorkflowStub run = start("Counts");
    awaitIdle(1);
    run.cancel();
    Throwable failed =
        assertThrows(WorkflowFailedException.class, () -> run.getResult(Integer.class));
    assertInstanceOf(CanceledFailure.class, failed.getCause());
    assertHistory("Started WorkflowTask CancelRequested WorkflowTask Canceled");
  }

  @Test
  void aTerminationEndsTheRun() throws Exception {
    WorkflowStub run = start("Counts");
    awaitIdle(1);
    run.terminate("enough");
    Throwable failed =
        assertThrows(WorkflowFailedException.class, () -> run.getResult(Integer.class));
    assertInstanceOf(TerminatedFailure.class, failed.getCause());
    assertHistory("Started WorkflowTask Terminated");
  }

  private WorkflowStub start(String type, Object... arguments) {
    WorkflowOptions options =
        WorkflowOptions.newBuilder().setWorkflowId(workflowId).setTaskQueue(queue).build();
    WorkflowStub run = client.newUntypedWorkflowStub(type, options);
    run.start(arguments);
    return run;
  }

  private static List<String> names(WorkflowExecutionHistory history) {
    return history.getEvents().stream()
        .map(event -> event.getEventType().name().substring("EVENT_TYPE_".length()))
        .map(
            name ->
                Arrays.stream(name.split("_"))
                    .map(word -> word.charAt(0) + word.substring(1).toLowerCase())
                    .collect(Collectors.joining()))
        .toList();
  }

  /** The run's events are exactly {@code sequence}, and they replay unless it was terminated. */
  private void assertHistory(String sequence) throws Exception {
    WorkflowExecutionHistory history = client.fetchHistory(workflowId);
    List<String> expected =
        Stream.of(sequence.split(" "))
            .flatMap(word -> Stream.of(ABBREVIATIONS.getOrDefault(word, word).split(" ")))
            .toList();
    assertEquals(expected, names(history));
    if (sequence.endsWith("Terminated")) {
      return; // this SDK's replayer refuses a history that no command of the workflow ended
    }
    Class<?>[] others = Arrays.copyOfRange(WORKFLOWS, 1, WORKFLOWS.length);
    WorkflowReplayer.replayWorkflowExecution(history, WORKFLOWS[0], others);
  }

  private void awaitIdle(int tasks) {
    Await.until(
        () -> {
          List<String> names = names(client.fetchHistory(workflowId));
          long completed = names.stream().filter("WorkflowTaskCompleted"::equals).count();
          long scheduled = names.stream().filter("WorkflowTaskScheduled"::equals).count();
          return completed >= tasks && scheduled == completed;
        });
  }
}
