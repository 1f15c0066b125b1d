//! Those who start workflows, wait for them and disturb them.

mod activities;
mod options;
mod starts;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use api::{
    common::v1::{Callback, RetryPolicy, TimeSkippingConfig, WorkflowType},
    enums::v1::{QueryRejectCondition, WorkflowIdConflictPolicy, WorkflowIdReusePolicy},
    history::v1::WorkflowExecutionStartedEventAttributes,
    query::v1::WorkflowQuery,
    taskqueue::v1::TaskQueue,
};
use engine::{
    Input, PauseRequest, ReapplyExclusions, Rejection, RequestCancel, Signal, Start, StartPolicy,
    Terminate,
};
use history::{
    CancelRequest, Execution, HistoryError, QueryAnswer, QueryRequest, ResetRequest, RunKey,
    StartRequest, TerminateRequest, UpdateRequest, UpdateStage,
};
use model::{RunId, Span};

use crate::{
    broken::Broken,
    cluster::CallError,
    dice::Dice,
    entities::batch::WORKFLOW_TYPE,
    fleet, outside,
    payload::{payloads, text},
    program::{End, Program},
    reading,
    script::{QUEUE, input},
    update,
    world::World,
};

/// How often a client asks for an update.
const UPDATE_ATTEMPTS: usize = 20;

/// How often a run may pass over time.
const SKIPS_MAX: i32 = 200;

/// One workflow's clients.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    world: Arc<World>,
    dice: Arc<Dice>,
    workflow_id: String,
    program: Program,
    /// Nothing will reset the workflow any more.
    is_reset: Arc<AtomicBool>,
}

impl Client {
    pub(crate) fn new(world: &Arc<World>, workflow_id: &str, program: &Program) -> Self {
        let dice = Arc::new(Dice::new(world.seed, &format!("client {workflow_id}")));
        let (world, program) = (Arc::clone(world), program.clone());
        let is_reset = Arc::new(AtomicBool::new(true));
        Self { world, dice, workflow_id: workflow_id.to_owned(), program, is_reset }
    }

    /// Starts the workflow, does to it what its program needs and some more, and sees its end.
    pub(crate) async fn run(self) {
        let turmoil = self.world.profile.turmoil.millis().unsigned_abs();
        self.world.sleep(self.dice.span(0, turmoil * 3 / 4)).await;
        Box::pin(self.start_with_companion()).await;
        let run = self.start().await;
        let mut duties: Vec<Duty> = (0..self.program.signals()).map(Duty::Signal).collect();
        match self.program.end {
            End::Cancel => duties.push(Duty::Cancel),
            End::AwaitTermination | End::Cron => duties.push(Duty::Terminate),
            _ => {}
        }
        for _ in 0..self.dice.below(5) {
            duties.push(self.draw_disturbance());
        }
        if self.takes_reset() {
            self.world.resets.fetch_add(1, Ordering::Relaxed);
            self.is_reset.store(false, Ordering::Relaxed);
            duties.push(Duty::Reset);
        }
        duties.extend(self.draw_operations());
        for (number, duty) in duties.into_iter().enumerate() {
            let is_last = matches!(duty, Duty::Terminate) && self.program.end == End::Cron;
            let delay = self.dice.span(0, if is_last { 40_000 } else { 8_000 });
            let helper = Self {
                dice: Arc::new(Dice::new(self.dice.roll(), &format!("helper {number}"))),
                ..self.clone()
            };
            tokio::spawn(async move {
                helper.world.sleep(delay).await;
                Box::pin(helper.carry_out(duty, number)).await;
            });
        }
        self.watch(run).await;
    }

    fn draw_disturbance(&self) -> Duty {
        match self.dice.below(20) {
            0..=4 => Duty::Query,
            5..=7 => Duty::Update(self.dice.below(4).try_into().unwrap_or(0)),
            8..=12 => Duty::ExtraSignal,
            13 => Duty::Cancel,
            14 if self.dice.chance(300) => Duty::Terminate,
            15 => Duty::StartAgain,
            16 => Duty::Read,
            17 => Duty::Pause,
            _ => Duty::Describe,
        }
    }

    /// What people do to it beside.
    fn draw_operations(&self) -> Vec<Duty> {
        let dice = Dice::new(self.world.seed, &format!("operations on {}", self.workflow_id));
        let is_versioned = self.world.behavior(&self.workflow_id).is_some();
        let all = [
            (Duty::SignalWithStart, 150),
            (Duty::PauseActivities, 250),
            (Duty::ResetActivities, 120),
            (Duty::SetActivityOptions, 200),
            (Duty::SetPriority, 150),
            (Duty::OverrideVersion, if is_versioned { 400 } else { 0 }),
        ];
        all.into_iter().filter(|(_, rate)| dice.chance(*rate)).map(|(duty, _)| duty).collect()
    }

    async fn carry_out(&self, duty: Duty, number: usize) {
        match duty {
            Duty::Signal(number) => self.signal(&format!("signal {number}")).await,
            Duty::ExtraSignal => self.signal(&format!("extra signal {number}")).await,
            Duty::Cancel => self.cancel().await,
            Duty::Terminate => self.terminate().await,
            Duty::Query => self.query().await,
            Duty::Update(update) => self.update(&update::id_of(update), number).await,
            Duty::StartAgain => Box::pin(self.start_again(number)).await,
            Duty::Describe => self.describe().await,
            Duty::Pause => self.pause_for_a_while(number).await,
            Duty::Read => self.read().await,
            Duty::Reset => self.reset().await,
            Duty::SignalWithStart => {
                let signal = format!("extra signal {number} with start");
                let request_id = format!("{signal} {}", self.workflow_id);
                Box::pin(self.signal_with_start(&signal, Some(&request_id))).await;
            }
            Duty::PauseActivities => self.pause_activities(number).await,
            Duty::ResetActivities => self.reset_activities().await,
            Duty::SetActivityOptions => self.set_activity_options(number).await,
            Duty::SetPriority => self.set_priority(number).await,
            Duty::OverrideVersion => self.override_version().await,
        }
    }

    fn takes_reset(&self) -> bool {
        let name = format!("reset of {}", self.workflow_id);
        self.program.takes_reset(&Dice::new(self.world.seed, &name))
    }

    /// Lets the workflow begin again after its first workflow task, and sees that end, too.
    async fn reset(&self) {
        let request = ResetRequest {
            finish_event_id: 4,
            request_id: format!("reset of {}", self.workflow_id),
            reason: "simulated".to_owned(),
            exclusions: ReapplyExclusions::default(),
            options: Vec::new(),
        };
        loop {
            let execution = Execution::current(&self.workflow_id);
            let request = request.clone();
            let reset = self.world.call(&self.dice, |life| async move {
                let (permit, namespace) = (&life.permit, &life.namespace());
                life.history.reset_workflow(permit, namespace, &execution, request).await
            });
            let reset = reset.await;
            self.world.note(&self.workflow_id, "reset", &reset);
            match reset {
                Ok(run_id) => {
                    self.is_reset.store(true, Ordering::Relaxed);
                    if let Some(run) = self.run_key(&run_id.to_string()) {
                        self.watch_chain(run).await;
                    }
                    break;
                }
                Err(error) if error.is_rejection() => break,
                Err(_) => self.pause().await,
            }
        }
        self.is_reset.store(true, Ordering::Relaxed);
        self.world.ended.fetch_add(1, Ordering::Relaxed);
    }

    async fn pause(&self) {
        self.world.sleep(self.dice.span(5, 200)).await;
    }

    /// Some want to be told of the end. A cron schedule has none that is told.
    fn callbacks(&self) -> Vec<Callback> {
        let dice = Dice::new(self.world.seed, &format!("callbacks of {}", self.workflow_id));
        let wants = dice.chance(200) && self.program.end != End::Cron;
        wants.then(|| outside::callback(&self.workflow_id)).into_iter().collect()
    }

    fn request(&self) -> StartRequest {
        let run_timeout = match self.program.end {
            End::AwaitTimeout(timeout) => Some(timeout.to_proto()),
            _ => None,
        };
        let retry_policy = matches!(self.program.end, End::CompleteAtAttempt(_)).then(|| {
            let initial_interval = Some(Span::from_secs(1).to_proto());
            RetryPolicy { initial_interval, backoff_coefficient: 1.0, ..RetryPolicy::default() }
        });
        let is_batched = matches!(self.program.end, End::AwaitBatch(_));
        let name = if is_batched { WORKFLOW_TYPE } else { "program" };
        let attributes = WorkflowExecutionStartedEventAttributes {
            workflow_id: self.workflow_id.clone(),
            workflow_type: Some(WorkflowType { name: name.to_owned() }),
            task_queue: Some(TaskQueue { name: self.queue().to_owned(), ..TaskQueue::default() }),
            input: Some(payloads(&input(&self.workflow_id, 0))),
            workflow_run_timeout: run_timeout,
            retry_policy,
            cron_schedule: self.program.cron_schedule().to_owned(),
            completion_callbacks: self.callbacks(),
            time_skipping_config: self.program.skips_time().then(|| TimeSkippingConfig {
                enabled: !self.world.breaks(Broken::SkipsNoTime),
                max_session_skip_count: SKIPS_MAX,
                ..TimeSkippingConfig::default()
            }),
            ..WorkflowExecutionStartedEventAttributes::default()
        };
        StartRequest {
            start: Start {
                request_id: format!("start {}", self.workflow_id),
                attributes,
                ..Start::default()
            },
            policy: StartPolicy {
                reuse: WorkflowIdReusePolicy::RejectDuplicate,
                conflict: WorkflowIdConflictPolicy::Fail,
            },
            eager: None,
            attach: None,
        }
    }

    fn queue(&self) -> &'static str {
        if self.world.behavior(&self.workflow_id).is_some() { fleet::QUEUE } else { QUEUE }
    }

    /// Starts the workflow, however often it takes; the first run of its chain.
    async fn start(&self) -> RunKey {
        loop {
            let request = self.request();
            let started = self.world.call(&self.dice, |life| async move {
                life.history.start_workflow(&life.permit, &life.namespace(), request).await
            });
            let started = started.await;
            self.world.note(&self.workflow_id, "start", &started);
            match started {
                Ok(outcome) => {
                    self.world.witness.started(&self.workflow_id, &outcome.run);
                    return outcome.run;
                }
                // An earlier request was carried out, and the chain has gone on since.
                Err(CallError::Answered(HistoryError::Rejected(Rejection::AlreadyStarted {
                    first_execution_run_id,
                    ..
                }))) => {
                    if let Some(run) = self.run_key(&first_execution_run_id) {
                        self.world.witness.started(&self.workflow_id, &run);
                        return run;
                    }
                }
                Err(error) if error.is_rejection() => {
                    let text = format!("the start of `{}` is refused: {error}", self.workflow_id);
                    self.world.witness.accuse(text);
                }
                Err(_) => {}
            }
            self.pause().await;
        }
    }

    fn run_key(&self, run_id: &str) -> Option<RunKey> {
        let run_id: RunId = run_id.parse().ok()?;
        let namespace_id = self.world.cluster.namespace_id;
        let workflow_id = self.workflow_id.clone();
        Some(RunKey { workflow: model::WorkflowKey { namespace_id, workflow_id }, run_id })
    }

    /// Another start of the same workflow id: refused, whatever has become of the first.
    async fn start_again(&self, number: usize) {
        let mut request = self.request();
        request.start.request_id = format!("again {number} {}", self.workflow_id);
        if self.world.breaks(Broken::StartsTwice) {
            request.policy = StartPolicy {
                reuse: WorkflowIdReusePolicy::AllowDuplicate,
                conflict: WorkflowIdConflictPolicy::TerminateExisting,
            };
        }
        let started = self.world.call(&self.dice, |life| async move {
            life.history.start_workflow(&life.permit, &life.namespace(), request).await
        });
        let started = started.await;
        self.world.note(&self.workflow_id, "start again", &started);
        match started {
            Ok(outcome) => self.world.witness.accuse(format!(
                "a second start of `{}` was answered with run {}",
                self.workflow_id, outcome.run.run_id
            )),
            Err(CallError::Answered(HistoryError::Rejected(Rejection::AlreadyStarted {
                first_execution_run_id,
                ..
            }))) => {
                if let Some(run) = self.run_key(&first_execution_run_id) {
                    self.world.witness.started(&self.workflow_id, &run);
                }
            }
            Err(_) => {}
        }
    }

    /// Signals until the signal is acknowledged, or the workflow has closed. One that somebody
    /// terminated goes on after its reset, and needs its signals then.
    async fn signal(&self, signal: &str) {
        self.world.witness.signal(&self.workflow_id, signal, false);
        let is_extra = signal.starts_with("extra");
        if is_extra && self.world.breaks(Broken::LosesSignals) {
            self.world.witness.signal(&self.workflow_id, signal, true);
            return;
        }
        let mut again = is_extra && self.world.breaks(Broken::RepeatsSignals);
        loop {
            let is_last_run = is_extra || self.is_reset.load(Ordering::Relaxed);
            let execution = Execution::current(&self.workflow_id);
            let input = Signal {
                signal_name: "signal".to_owned(),
                input: Some(payloads(signal)),
                request_id: if again { format!("{signal} again") } else { signal.to_owned() },
                ..Signal::default()
            };
            let signalled = self.world.call(&self.dice, |life| async move {
                let (permit, namespace) = (&life.permit, &life.namespace());
                life.history.signal_workflow(permit, namespace, &execution, input).await.map(drop)
            });
            let signalled = signalled.await;
            self.world.note(&self.workflow_id, signal, &signalled);
            match signalled {
                Ok(_) => {
                    self.world.witness.signal(&self.workflow_id, signal, true);
                    if !std::mem::take(&mut again) {
                        return;
                    }
                }
                Err(error) if error.is_rejection() && is_last_run => return,
                Err(_) => self.pause().await,
            }
        }
    }

    async fn cancel(&self) {
        loop {
            let execution = Execution::current(&self.workflow_id);
            let input = RequestCancel { reason: "simulated".to_owned(), ..Default::default() };
            let request = CancelRequest { input, ..CancelRequest::default() };
            let cancelled = self.world.call(&self.dice, |life| async move {
                let (permit, namespace) = (&life.permit, &life.namespace());
                life.history.request_cancel(permit, namespace, &execution, request).await
            });
            let cancelled = cancelled.await;
            self.world.note(&self.workflow_id, "cancel", &cancelled);
            match cancelled {
                Ok(_) => {
                    // A closed run takes the request too and stays as it is; a run that follows
                    // does not know of it: only who must cancel goes on asking.
                    self.world.witness.cancelled(&self.workflow_id);
                    let ended = self.world.witness.facts().results.contains_key(&self.workflow_id);
                    if self.program.end != End::Cancel || ended {
                        return;
                    }
                    self.world.sleep(Span::from_secs(20)).await;
                }
                Err(error) if error.is_rejection() => return,
                Err(_) => self.pause().await,
            }
        }
    }

    async fn terminate(&self) {
        self.world.witness.termination(&self.workflow_id, false);
        loop {
            let execution = Execution::current(&self.workflow_id);
            let input = Terminate { reason: "simulated".to_owned(), ..Terminate::default() };
            let request = TerminateRequest { input, ..TerminateRequest::default() };
            let terminated = self.world.call(&self.dice, |life| async move {
                let (permit, namespace) = (&life.permit, &life.namespace());
                life.history.terminate_workflow(permit, namespace, &execution, request).await
            });
            let terminated = terminated.await;
            self.world.note(&self.workflow_id, "terminate", &terminated);
            match terminated {
                Ok(_) => {
                    self.world.witness.termination(&self.workflow_id, true);
                    return;
                }
                Err(error) if error.is_rejection() => return,
                Err(_) => self.pause().await,
            }
        }
    }

    /// Asks how many signals the workflow has seen: no fewer than were acknowledged before.
    async fn query(&self) {
        let known = self.world.witness.signals_acknowledged(&self.workflow_id);
        let deadline = self.world.now() + self.dice.span(500, 15_000);
        let execution = Execution::current(&self.workflow_id);
        let request = QueryRequest {
            query: WorkflowQuery { query_type: "signals".to_owned(), ..WorkflowQuery::default() },
            reject_condition: QueryRejectCondition::None,
            deadline,
        };
        let answered = self.world.call(&self.dice, |life| async move {
            let (permit, namespace) = (&life.permit, &life.namespace());
            life.history.query_workflow(permit, namespace, &execution, request).await
        });
        let answered = answered.await;
        self.world.note(&self.workflow_id, "query", &answered);
        let Ok(QueryAnswer::Answered(answer)) = answered else { return };
        let answer = match self.world.broken {
            Some(Broken::AnswersStaleQueries) => "0".to_owned(),
            _ => text(answer.as_ref()),
        };
        // Signals of an earlier run of the chain are not seen by the one that answers.
        let is_stale = answer.parse::<usize>().is_ok_and(|seen| seen < known);
        if is_stale && self.program.runs() == 1 {
            self.world.witness.accuse(format!(
                "a query of `{}` saw {answer} signals although {known} had been acknowledged",
                self.workflow_id
            ));
        }
    }

    /// Asks for an update until it is answered: once it was, it stays answered. Some want to be
    /// called back, and some of these wait for the acceptance only.
    async fn update(&self, update_id: &str, number: usize) {
        if self.world.breaks(Broken::LosesUpdates)
            && let Some(run) = self.world.witness.facts().started.get(&self.workflow_id)
        {
            self.world.witness.updated(run, update_id);
            return;
        }
        let mut answered = false;
        let mut asked = update::request(update_id);
        if self.dice.chance(600) {
            asked.request_id = format!("request {number} {}", self.workflow_id);
            let name = format!("{} {update_id} {number}", self.workflow_id);
            asked.completion_callbacks = vec![outside::callback(&name)];
        }
        let wait_stage =
            if self.dice.chance(500) { UpdateStage::Accepted } else { UpdateStage::Completed };
        for _ in 0..UPDATE_ATTEMPTS {
            let execution = Execution::current(&self.workflow_id);
            let request = UpdateRequest {
                request: asked.clone(),
                first_execution_run_id: String::new(),
                wait_stage,
                deadline: None,
            };
            let updated = self.world.call(&self.dice, |life| async move {
                let (permit, namespace) = (&life.permit, &life.namespace());
                life.history.update_workflow(permit, namespace, &execution, request).await
            });
            let updated = updated.await;
            self.world.note(&self.workflow_id, update_id, &updated);
            match updated {
                Ok(status) if status.stage == UpdateStage::Completed => {
                    let answer = update::answer(status.outcome.as_ref());
                    if answer.as_deref().is_some_and(|answer| answer != update_id) {
                        let text = format!("{update_id} of `{}` gave {answer:?}", self.workflow_id);
                        self.world.witness.accuse(text);
                    }
                    if answer.is_some() {
                        self.world.witness.updated(&status.run, update_id);
                    }
                    answered = true;
                    if self.dice.chance(500) {
                        return;
                    }
                }
                Ok(status) if status.stage == UpdateStage::Accepted => {
                    // Whatever it brought is in the history.
                    if !asked.completion_callbacks.is_empty() {
                        self.world.witness.joined(&status.run, &asked.request_id);
                    }
                    if self.dice.chance(500) {
                        return;
                    }
                }
                Err(CallError::Answered(HistoryError::Rejected(Rejection::WorkflowClosed)))
                    if answered && self.program.runs() == 1 =>
                {
                    let text = format!("{update_id} of `{}` is lost", self.workflow_id);
                    self.world.witness.accuse(text);
                    return;
                }
                Err(error) if error.is_rejection() => return,
                _ => {}
            }
            self.pause().await;
        }
    }

    /// Pauses the workflow and lets it go on, unless somebody else has paused it.
    async fn pause_for_a_while(&self, number: usize) {
        let request = PauseRequest {
            reason: "simulated".to_owned(),
            request_id: format!("pause {number} {}", self.workflow_id),
            ..PauseRequest::default()
        };
        if !self.asks_until_answered("pause", Input::Pause(request.clone())).await {
            return;
        }
        self.world.sleep(self.dice.span(50, 5_000)).await;
        self.asks_until_answered("unpause", Input::Unpause(request)).await;
    }

    /// Asks until there is an answer; false for a refusal.
    async fn asks_until_answered(&self, what: &str, input: Input) -> bool {
        loop {
            let execution = Execution::current(&self.workflow_id);
            let input = input.clone();
            let asked = self.world.call(&self.dice, |life| async move {
                let (permit, namespace) = (&life.permit, &life.namespace());
                match input {
                    Input::Pause(request) => {
                        life.history.pause_workflow(permit, namespace, &execution, request).await
                    }
                    Input::Unpause(request) => {
                        life.history.unpause_workflow(permit, namespace, &execution, request).await
                    }
                    _ => Ok(()),
                }
            });
            let asked = asked.await;
            self.world.note(&self.workflow_id, what, &asked);
            match asked {
                Ok(()) => return true,
                Err(error) if error.is_rejection() => return false,
                Err(_) => self.pause().await,
            }
        }
    }

    async fn describe(&self) {
        let known = self.world.witness.facts().results.get(&self.workflow_id).cloned();
        let execution = Execution::current(&self.workflow_id);
        let described = self.world.call(&self.dice, |life| async move {
            life.history.describe(&life.permit, &life.namespace(), &execution).await
        });
        let described = described.await;
        self.world.note(&self.workflow_id, "describe", &described);
        match (described, known) {
            (Ok(description), Some((run, status)))
                if !self.takes_reset()
                    && (description.run != run || description.state.status != status) =>
            {
                self.world.witness.accuse(format!(
                    "`{}` had ended with status {status}, and is described with {}",
                    self.workflow_id, description.state.status
                ));
            }
            (Err(error), _) if error.is_rejection() => {
                self.world.witness.accuse(format!("`{}` is lost: {error}", self.workflow_id));
            }
            _ => {}
        }
    }

    /// Reads a run from its first event on: nothing of it may ever go away.
    async fn read(&self) {
        let facts = self.world.witness.facts();
        let Some(run) = facts.started.get(&self.workflow_id).cloned() else { return };
        let Some(events) = reading::read(&self.world, &self.dice, &run, 1, i64::MAX).await else {
            return;
        };
        self.world.trace.note(&format!("{}: read {} events", self.workflow_id, events.len()));
        self.world.witness.shown(&run, &events);
    }

    /// Waits for the end of the workflow's last run.
    async fn watch(&self, run: RunKey) {
        if self.watch_chain(run).await {
            self.world.ended.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits for the end of the last run that follows this one; false when it is lost.
    async fn watch_chain(&self, mut run: RunKey) -> bool {
        loop {
            let key = run.clone();
            let deadline = self.world.now() + Span::from_secs(30);
            let waited = self.world.call(&self.dice, |life| async move {
                let (permit, namespace) = (&life.permit, &life.namespace());
                life.history.wait_for_history(permit, namespace, &key, i64::MAX, deadline).await
            });
            match waited.await {
                Ok(state) if !state.is_running() => {
                    let next = self.run_key(&state.new_execution_run_id);
                    let next = next.or_else(|| self.run_key(&state.reset_run_id));
                    let status = state.status;
                    self.world
                        .trace
                        .note(&format!("{}: a run ended with {status}", self.workflow_id));
                    let Some(next) = next else {
                        self.world.witness.ended(&self.workflow_id, &run, status);
                        return true;
                    };
                    run = next;
                }
                Ok(_) => {}
                Err(error) if error.is_rejection() => {
                    self.world.witness.accuse(format!("a run is lost: {error}"));
                    return false;
                }
                Err(_) => self.pause().await,
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Duty {
    Signal(usize),
    ExtraSignal,
    Cancel,
    Terminate,
    Query,
    Update(usize),
    StartAgain,
    Describe,
    Pause,
    Read,
    Reset,
    SignalWithStart,
    PauseActivities,
    ResetActivities,
    SetActivityOptions,
    SetPriority,
    OverrideVersion,
}
