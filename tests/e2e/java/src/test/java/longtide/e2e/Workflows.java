package longtide.e2e;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityOptions;
import io.temporal.common.RetryOptions;
import io.temporal.failure.ApplicationFailure;
import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;

/** The workflows and activities of the tests. */
final class Workflows {
  private Workflows() {}

  @ActivityInterface
  public interface Arithmetic {
    int twice(int number);

    int failUntil(int attempt);
  }

  public static final class ArithmeticActivities implements Arithmetic {
    @Override
    public int twice(int number) {
      return number * 2;
    }

    @Override
    public int failUntil(int attempt) {
      if (Activity.getExecutionContext().getInfo().getAttempt() < attempt) {
        throw ApplicationFailure.newFailure("not yet", "NotYet");
      }
      return attempt;
    }
  }

  @WorkflowInterface
  public interface Doubles {
    @WorkflowMethod
    int run(int number);
  }

  public static final class DoublesWorkflow implements Doubles {
    @Override
    public int run(int number) {
      return arithmetic(1).twice(number);
    }
  }

  @WorkflowInterface
  public interface Retries {
    @WorkflowMethod
    int run(int attempt);
  }

  public static final class RetriesWorkflow implements Retries {
    @Override
    public int run(int attempt) {
      return arithmetic(2).failUntil(attempt);
    }
  }

  @WorkflowInterface
  public interface Sleeps {
    @WorkflowMethod
    String run();
  }

  public static final class SleepsWorkflow implements Sleeps {
    @Override
    public String run() {
      Workflow.sleep(Duration.ofMillis(100));
      return "slept";
    }
  }

  @WorkflowInterface
  public interface Counts {
    @WorkflowMethod
    int run();

    @SignalMethod
    void add(int number);

    @SignalMethod
    void finish();

    @QueryMethod
    int total();
  }

  public static final class CountsWorkflow implements Counts {
    private int total;
    private boolean finished;

    @Override
    public int run() {
      Workflow.await(() -> finished);
      return total;
    }

    @Override
    public void add(int number) {
      total += number;
    }

    @Override
    public void finish() {
      finished = true;
    }

    @Override
    public int total() {
      return total;
    }
  }

  private static Arithmetic arithmetic(int attempts) {
    return Workflow.newActivityStub(
        Arithmetic.class,
        ActivityOptions.newBuilder()
            .setStartToCloseTimeout(Duration.ofSeconds(10))
            .setRetryOptions(
                RetryOptions.newBuilder()
                    .setInitialInterval(Duration.ofMillis(20))
                    .setBackoffCoefficient(1)
                    .setMaximumAttempts(attempts)
                    .build())
            .build());
  }
}
