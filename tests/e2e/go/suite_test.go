// Package e2e drives a real server process with the unmodified Go SDK.
package e2e

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	enums "go.temporal.io/api/enums/v1"
	history "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	patience  = 20 * time.Second
	lookAgain = 20 * time.Millisecond
)

// abbreviations are what one word of an expected history stands for.
var abbreviations = map[string]string{
	"Started":         "WorkflowExecutionStarted",
	"WorkflowTask":    "WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskCompleted",
	"Activity":        "ActivityTaskScheduled ActivityTaskStarted ActivityTaskCompleted",
	"Signaled":        "WorkflowExecutionSignaled",
	"CancelRequested": "WorkflowExecutionCancelRequested",
	"Completed":       "WorkflowExecutionCompleted",
	"Failed":          "WorkflowExecutionFailed",
	"Canceled":        "WorkflowExecutionCanceled",
	"Terminated":      "WorkflowExecutionTerminated",
	"ContinuedAsNew":  "WorkflowExecutionContinuedAsNew",
}

func double(_ context.Context, number int) (int, error) { return number * 2, nil }

func failUntil(ctx context.Context, attempt int32) (int32, error) {
	if now := activity.GetInfo(ctx).Attempt; now < attempt {
		return 0, temporal.NewApplicationError("not yet", "NotYet")
	}
	return attempt, nil
}

func withActivities(ctx workflow.Context, attempts int32) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 10 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    20 * time.Millisecond,
			BackoffCoefficient: 1,
			MaximumAttempts:    attempts,
		},
	})
}

func greets(_ workflow.Context, name string) (string, error) { return "hello " + name, nil }

func doubles(ctx workflow.Context, number int) (result int, err error) {
	err = workflow.ExecuteActivity(withActivities(ctx, 1), double, number).Get(ctx, &result)
	return
}

func retries(ctx workflow.Context, attempt int32) (result int32, err error) {
	err = workflow.ExecuteActivity(withActivities(ctx, 2), failUntil, attempt).Get(ctx, &result)
	return
}

func sleeps(ctx workflow.Context) error { return workflow.Sleep(ctx, 100*time.Millisecond) }

func counts(ctx workflow.Context) (int, error) {
	total := 0
	if err := workflow.SetQueryHandler(ctx, "total", func() (int, error) { return total, nil }); err != nil {
		return 0, err
	}
	for number := 0; number >= 0; {
		workflow.GetSignalChannel(ctx, "add").Receive(ctx, &number)
		if number > 0 {
			total += number
		}
	}
	return total, nil
}

func waitsForEver(ctx workflow.Context) error {
	return workflow.Await(ctx, func() bool { return false })
}

func countsDown(ctx workflow.Context, number int) (string, error) {
	if number > 0 {
		return "", workflow.NewContinueAsNewError(ctx, countsDown, number-1)
	}
	return workflow.GetInfo(ctx).FirstRunID, nil
}

func fails(workflow.Context) error { return temporal.NewApplicationError("as told", "Told") }

var workflows = []any{greets, doubles, retries, sleeps, counts, waitsForEver, countsDown, fails}

// suite is one client, and a worker of a queue of the test's own.
type suite struct {
	*testing.T
	client client.Client
	queue  string
}

func newSuite(t *testing.T) *suite {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: address, Logger: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	s := &suite{t, c, "queue-" + uuid.NewString()}
	w := worker.New(c, s.queue, worker.Options{})
	for _, w2 := range workflows {
		w.RegisterWorkflow(w2)
	}
	w.RegisterActivity(double)
	w.RegisterActivity(failUntil)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Stop(); c.Close() })
	return s
}

func (s *suite) start(function any, arguments ...any) client.WorkflowRun {
	s.Helper()
	options := client.StartWorkflowOptions{ID: "workflow-" + uuid.NewString(), TaskQueue: s.queue}
	run, err := s.client.ExecuteWorkflow(s.Context(), options, function, arguments...)
	if err != nil {
		s.Fatal(err)
	}
	return run
}

func (s *suite) history(run client.WorkflowRun) *history.History {
	s.Helper()
	read := &history.History{}
	events := s.client.GetWorkflowHistory(s.Context(), run.GetID(), run.GetRunID(), false,
		enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			s.Fatal(err)
		}
		read.Events = append(read.Events, event)
	}
	return read
}

func names(read *history.History) string {
	found := make([]string, len(read.Events))
	for i, event := range read.Events {
		found[i] = event.GetEventType().String()
	}
	return strings.Join(found, " ")
}

// assertHistory holds the run to exactly this sequence of events, and replays it.
func (s *suite) assertHistory(run client.WorkflowRun, sequence string) {
	s.Helper()
	words := strings.Fields(sequence)
	for i, word := range words {
		if long, ok := abbreviations[word]; ok {
			words[i] = long
		}
	}
	read := s.history(run)
	if got, want := names(read), strings.Join(words, " "); got != want {
		s.Fatalf("history\n got %s\nwant %s", got, want)
	}
	replayer := worker.NewWorkflowReplayer()
	for _, function := range workflows {
		replayer.RegisterWorkflow(function)
	}
	if err := replayer.ReplayWorkflowHistory(silent{}, read); err != nil {
		s.Fatal(err)
	}
}

func (s *suite) waitUntilIdle(run client.WorkflowRun, tasks int) {
	s.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(lookAgain) {
		seen := names(s.history(run))
		completed := strings.Count(seen, "WorkflowTaskCompleted")
		if completed >= tasks && strings.Count(seen, "WorkflowTaskScheduled") == completed {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("waited in vain for %d workflow tasks: %s", tasks, seen)
		}
	}
}

func result[T comparable](s *suite, run client.WorkflowRun, want T) {
	s.Helper()
	var got T
	if err := run.Get(s.Context(), &got); err != nil {
		s.Fatal(err)
	}
	if got != want {
		s.Fatalf("result %v, want %v", got, want)
	}
}

func TestAWorkflowGivesItsResult(t *testing.T) {
	s := newSuite(t)
	run := s.start(greets, "you")
	result(s, run, "hello you")
	s.assertHistory(run, "Started WorkflowTask Completed")
}

func TestAnActivityGivesItsResult(t *testing.T) {
	s := newSuite(t)
	run := s.start(doubles, 21)
	result(s, run, 42)
	s.assertHistory(run, "Started WorkflowTask Activity WorkflowTask Completed")
}

func TestAnActivityRetriesAndThenFails(t *testing.T) {
	s := newSuite(t)
	run := s.start(retries, int32(2))
	result(s, run, int32(2))
	s.assertHistory(run, "Started WorkflowTask Activity WorkflowTask Completed")

	run = s.start(retries, int32(3))
	var failure *temporal.ActivityError
	if err := run.Get(t.Context(), nil); !errors.As(err, &failure) {
		t.Fatalf("%v", err)
	}
	if state := failure.RetryState(); state != enums.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED {
		t.Fatalf("retry state %v", state)
	}
	s.assertHistory(run, "Started WorkflowTask ActivityTaskScheduled ActivityTaskStarted "+
		"ActivityTaskFailed WorkflowTask Failed")
}

func TestATimerFires(t *testing.T) {
	s := newSuite(t)
	run := s.start(sleeps)
	if err := run.Get(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	s.assertHistory(run, "Started WorkflowTask TimerStarted TimerFired WorkflowTask Completed")
}

func TestSignalsAndQueriesSeeEachOther(t *testing.T) {
	s := newSuite(t)
	run := s.start(counts)
	for task, number := range []int{2, 3} {
		s.waitUntilIdle(run, task+1)
		if err := s.client.SignalWorkflow(t.Context(), run.GetID(), "", "add", number); err != nil {
			t.Fatal(err)
		}
	}
	s.waitUntilIdle(run, 3)
	answer, err := s.client.QueryWorkflow(t.Context(), run.GetID(), "", "total")
	if err != nil {
		t.Fatal(err)
	}
	var total int
	if err := answer.Get(&total); err != nil || total != 5 {
		t.Fatalf("total %d, %v", total, err)
	}
	if err := s.client.SignalWorkflow(t.Context(), run.GetID(), "", "add", -1); err != nil {
		t.Fatal(err)
	}
	result(s, run, 5)
	s.assertHistory(run, "Started WorkflowTask Signaled WorkflowTask Signaled WorkflowTask "+
		"Signaled WorkflowTask Completed")
}

func TestACancellationCancelsTheRun(t *testing.T) {
	s := newSuite(t)
	run := s.start(waitsForEver)
	s.waitUntilIdle(run, 1)
	if err := s.client.CancelWorkflow(t.Context(), run.GetID(), ""); err != nil {
		t.Fatal(err)
	}
	var canceled *temporal.CanceledError
	if err := run.Get(t.Context(), nil); !errors.As(err, &canceled) {
		t.Fatalf("%v", err)
	}
	s.assertHistory(run, "Started WorkflowTask CancelRequested WorkflowTask Canceled")
}

func TestATerminationEndsTheRun(t *testing.T) {
	s := newSuite(t)
	run := s.start(waitsForEver)
	s.waitUntilIdle(run, 1)
	if err := s.client.TerminateWorkflow(t.Context(), run.GetID(), "", "enough"); err != nil {
		t.Fatal(err)
	}
	var terminated *temporal.TerminatedError
	if err := run.Get(t.Context(), nil); !errors.As(err, &terminated) {
		t.Fatalf("%v", err)
	}
	s.assertHistory(run, "Started WorkflowTask Terminated")
}

func TestAFailureReachesTheCaller(t *testing.T) {
	s := newSuite(t)
	run := s.start(fails)
	var failure *temporal.ApplicationError
	if err := run.Get(t.Context(), nil); !errors.As(err, &failure) || failure.Type() != "Told" {
		t.Fatalf("%v", err)
	}
	s.assertHistory(run, "Started WorkflowTask Failed")
}

func TestContinueAsNewChainsRuns(t *testing.T) {
	s := newSuite(t)
	run := s.start(countsDown, 2)
	result(s, run, run.GetRunID())
}

func TestTheHealthCheckSucceeds(t *testing.T) {
	s := newSuite(t)
	if _, err := s.client.CheckHealth(t.Context(), &client.CheckHealthRequest{}); err != nil {
		t.Fatal(err)
	}
}
