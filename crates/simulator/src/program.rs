//! What a simulated workflow does, and how it has to end.

use api::enums::v1::WorkflowExecutionStatus;
use model::Span;

use crate::{
    dice::Dice,
    operation::{Handler, is_endless},
};

/// Timers that take longer than this, in milliseconds, are of workflows whose time passes at once.
const SKIPPED_MILLIS: u64 = 3_600_000;

/// A workflow: steps one after the other, then its end. Steps are taken by the first run only; the
/// runs that follow it go straight to the end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    /// How often it continues as new before its end.
    pub(crate) generations: usize,
    pub(crate) end: End,
}

/// One step. Its place in the program names what it starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Activities side by side, until all have closed.
    Activities(Vec<ActivityPlan>),
    /// Timers side by side, until all have fired.
    Timers(Vec<Span>),
    /// A timer that is cancelled when an activity has closed.
    CancelledTimer(ActivityPlan),
    /// An activity that is asked to cancel after a second.
    CancelledActivity,
    /// So many signals have arrived.
    Signals(usize),
    /// A marker.
    Marker,
    /// A memo field.
    Memo,
    /// The worker fails the workflow task so often.
    FailedTasks(i32),
    /// The worker answers the workflow task with a command that is not valid, once.
    BadCommand,
    /// So many Nexus operations side by side, until all have closed.
    NexusOperations(Handler, usize),
    /// A Nexus operation that is asked to cancel after a second.
    CancelledOperation(Handler),
    /// Children side by side, until all have closed that are to close before their parent.
    Children(Vec<ChildPlan>),
}

/// One child.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ChildPlan {
    /// It completes.
    Completes,
    /// It completes when its parent has signalled it.
    AwaitsSignal,
    /// It is open when its parent closes, and terminated then.
    IsLeftBehind,
}

/// One activity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ActivityPlan {
    pub(crate) behaviour: Behaviour,
    /// The workflow's worker may take it at once.
    pub(crate) eager: bool,
}

/// What the attempts of an activity do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Behaviour {
    /// They complete.
    Complete,
    /// The first ones fail.
    FailFirst(i32),
    /// They fail and may not be repeated.
    FailForGood,
    /// Of the first ones nothing is heard again.
    VanishFirst(i32),
    /// Nothing is ever heard; two attempts are allowed.
    Vanish,
    /// The first ones report progress and stop in the middle.
    ReportFirst(i32),
    /// They report progress until the workflow asks for their end.
    AwaitCancel,
}

/// What a batch operation does to its workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BatchKind {
    /// It terminates them.
    Terminates,
    /// It asks them to cancel.
    Cancels,
    /// It signals them, and they complete.
    Signals,
}

impl BatchKind {
    pub(crate) fn draw(dice: &Dice) -> Self {
        dice.pick(&[Self::Terminates, Self::Cancels, Self::Signals]).unwrap_or(Self::Terminates)
    }
}

/// How a workflow ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum End {
    /// It completes.
    Complete,
    /// Its first runs fail and are retried; this attempt completes.
    CompleteAtAttempt(i32),
    /// It waits for a request to cancel, and confirms it.
    Cancel,
    /// It waits until somebody terminates it.
    AwaitTermination,
    /// It waits until its time is over.
    AwaitTimeout(Span),
    /// Its runs complete, and others follow at their times until somebody terminates it.
    Cron,
    /// It waits for a batch operation.
    AwaitBatch(BatchKind),
    /// It gives the name that its input begins with.
    Echo,
}

impl Program {
    /// A program of moderate size; `large` ones start more at once than a slot keeps in memory.
    pub(crate) fn draw(dice: &Dice, large: bool) -> Self {
        if large {
            return Self::draw_large(dice);
        }
        let count = dice.between(0, 4);
        let steps = (0..count).map(|_| Step::draw(dice)).collect();
        let end = match dice.below(20) {
            0 => End::CompleteAtAttempt(i32::try_from(dice.between(2, 3)).unwrap_or(2)),
            1 | 2 => End::Cancel,
            3 | 4 => End::AwaitTermination,
            5 => End::AwaitTimeout(dice.span(20_000, 90_000)),
            _ => End::Complete,
        };
        let generations = if dice.chance(150) && !matches!(end, End::CompleteAtAttempt(_)) {
            usize::try_from(dice.between(1, 3)).unwrap_or(1)
        } else {
            0
        };
        Self { steps, generations, end }
    }

    fn draw_large(dice: &Dice) -> Self {
        let many = usize::try_from(dice.between(200, 400)).unwrap_or(200);
        let step = if dice.chance(500) {
            let plan = ActivityPlan { behaviour: Behaviour::Complete, eager: false };
            Step::Activities(vec![plan; many])
        } else {
            Step::Timers((0..many).map(|_| dice.span(0, 60_000)).collect())
        };
        Self { steps: vec![step], generations: 0, end: End::Complete }
    }

    /// Adds a last step with children, to some programs.
    pub(crate) fn add_children(&mut self, dice: &Dice) {
        if dice.chance(350) {
            let children = (0..dice.between(1, 4)).map(|_| ChildPlan::draw(dice)).collect();
            self.steps.push(Step::Children(children));
        }
    }

    /// Adds a step with Nexus operations, to some programs.
    pub(crate) fn add_operations(&mut self, dice: &Dice) {
        if dice.chance(300) {
            let count = usize::try_from(dice.between(1, 3)).unwrap_or(1);
            let handler = if dice.chance(500) { Handler::Outside } else { Handler::Workers };
            self.steps.push(Step::NexusOperations(handler, count));
            if dice.chance(300) {
                self.steps.push(Step::CancelledOperation(handler));
            }
        }
    }

    /// Makes some programs start again and again, at their times.
    pub(crate) fn add_cron(&mut self, dice: &Dice) {
        if dice.chance(40) {
            *self = Self { steps: Vec::new(), generations: 0, end: End::Cron };
        }
    }

    /// Makes some programs wait for a batch operation.
    pub(crate) fn add_batch(&mut self, dice: &Dice, kind: BatchKind) {
        if dice.chance(60) {
            *self = Self { steps: Vec::new(), generations: 0, end: End::AwaitBatch(kind) };
        }
    }

    /// Makes some programs wait for hours, which their runs pass over.
    pub(crate) fn add_time_skipping(&mut self, dice: &Dice) {
        if dice.chance(50) {
            let hours = || -> Vec<Span> {
                (0..dice.between(1, 3))
                    .map(|_| dice.span(SKIPPED_MILLIS, 20 * SKIPPED_MILLIS))
                    .collect()
            };
            let steps = vec![
                Step::Timers(hours()),
                Step::Activities(vec![ActivityPlan::draw(dice)]),
                Step::Timers(hours()),
            ];
            *self = Self { steps, generations: 0, end: End::Complete };
        }
    }

    /// Whether its runs pass over time in which they only wait.
    pub(crate) fn skips_time(&self) -> bool {
        let skipped = Span::from_millis(SKIPPED_MILLIS.cast_signed());
        self.steps.iter().any(|step| match step {
            Step::Timers(spans) => spans.iter().any(|span| *span >= skipped),
            _ => false,
        })
    }

    /// Whether somebody lets it begin again. Children would be started twice; and who ends it would
    /// have to do so once more.
    pub(crate) fn takes_reset(&self, dice: &Dice) -> bool {
        let has_children = self.steps.iter().any(|step| matches!(step, Step::Children(_)));
        let ends_alone = matches!(self.end, End::Complete | End::CompleteAtAttempt(_));
        ends_alone && !has_children && !self.skips_time() && dice.chance(120)
    }

    /// When it starts again; empty for never.
    pub(crate) fn cron_schedule(&self) -> &'static str {
        if self.end == End::Cron { "@every 5s" } else { "" }
    }

    /// What a workflow does that stands behind this operation.
    pub(crate) fn behind(operation: &str) -> Self {
        let end = if is_endless(operation) { End::Cancel } else { End::Echo };
        Self { steps: Vec::new(), generations: 0, end }
    }

    /// What the child of this name does.
    pub(crate) fn child(&self, name: &str) -> Option<Self> {
        let (step, number) = name.split_once('.')?;
        let Step::Children(plans) = self.steps.get(step.parse::<usize>().ok()?)? else {
            return None;
        };
        let steps = match plans.get(number.parse::<usize>().ok()?)? {
            ChildPlan::Completes => Vec::new(),
            ChildPlan::AwaitsSignal | ChildPlan::IsLeftBehind => vec![Step::Signals(1)],
        };
        Some(Self { steps, generations: 0, end: End::Complete })
    }

    /// How many signals it waits for in all.
    pub(crate) fn signals(&self) -> usize {
        let waits = self.steps.iter().map(|step| match step {
            Step::Signals(number) => *number,
            _ => 0,
        });
        waits.sum()
    }

    /// The activity of this id.
    pub(crate) fn activity(&self, activity_id: &str) -> Option<ActivityPlan> {
        let (step, number) = activity_id.split_once('.')?;
        match self.steps.get(step.parse::<usize>().ok()?)? {
            Step::Activities(plans) => plans.get(number.parse::<usize>().ok()?).copied(),
            Step::CancelledTimer(plan) => Some(*plan),
            Step::CancelledActivity => {
                Some(ActivityPlan { behaviour: Behaviour::AwaitCancel, eager: false })
            }
            _ => None,
        }
    }

    /// The status of its last run.
    pub(crate) fn status(&self) -> WorkflowExecutionStatus {
        match self.end {
            End::Complete
            | End::CompleteAtAttempt(_)
            | End::Echo
            | End::AwaitBatch(BatchKind::Signals) => WorkflowExecutionStatus::Completed,
            End::Cancel | End::AwaitBatch(BatchKind::Cancels) => WorkflowExecutionStatus::Canceled,
            End::AwaitTermination | End::AwaitBatch(BatchKind::Terminates) | End::Cron => {
                WorkflowExecutionStatus::Terminated
            }
            End::AwaitTimeout(_) => WorkflowExecutionStatus::TimedOut,
        }
    }

    /// How many runs it has when nobody interferes; with a cron schedule that is not known.
    pub(crate) fn runs(&self) -> usize {
        let attempts = match self.end {
            End::CompleteAtAttempt(attempt) => usize::try_from(attempt).unwrap_or(1),
            End::Cron => usize::MAX,
            _ => 1,
        };
        attempts.saturating_add(self.generations)
    }

    /// The closing result of its last run when nobody interferes.
    pub(crate) fn result(&self) -> String {
        if self.runs() > 1 {
            return "done".to_owned();
        }
        let mut result = "done".to_owned();
        for (index, step) in self.steps.iter().enumerate() {
            let outcomes: Vec<_> = match step {
                Step::Activities(plans) => plans.iter().map(|plan| plan.outcome()).collect(),
                Step::CancelledTimer(plan) => vec![plan.outcome()],
                Step::CancelledActivity => vec!["bad"],
                Step::NexusOperations(_, count) => vec!["ok"; *count],
                Step::CancelledOperation(_) => vec!["bad"],
                _ => Vec::new(),
            };
            for (number, outcome) in outcomes.into_iter().enumerate() {
                result.push_str(&format!(" {index}.{number}={outcome}"));
            }
        }
        result
    }
}

impl ActivityPlan {
    pub(crate) fn draw(dice: &Dice) -> Self {
        let times = i32::try_from(dice.between(1, 2)).unwrap_or(1);
        let behaviour = match dice.below(12) {
            0 | 1 => Behaviour::FailFirst(times),
            2 => Behaviour::FailForGood,
            3 | 4 => Behaviour::VanishFirst(times),
            5 => Behaviour::Vanish,
            6 | 7 => Behaviour::ReportFirst(times),
            _ => Behaviour::Complete,
        };
        Self { behaviour, eager: dice.chance(200) }
    }

    /// What the workflow sees in the end.
    fn outcome(self) -> &'static str {
        match self.behaviour {
            Behaviour::Complete
            | Behaviour::FailFirst(_)
            | Behaviour::VanishFirst(_)
            | Behaviour::ReportFirst(_) => "ok",
            Behaviour::FailForGood | Behaviour::Vanish | Behaviour::AwaitCancel => "bad",
        }
    }
}

impl ChildPlan {
    fn draw(dice: &Dice) -> Self {
        match dice.below(3) {
            0 => Self::Completes,
            1 => Self::AwaitsSignal,
            _ => Self::IsLeftBehind,
        }
    }
}

impl Step {
    fn draw(dice: &Dice) -> Self {
        match dice.below(14) {
            0..=3 => {
                let count = if dice.chance(700) { 1 } else { dice.between(2, 5) };
                Self::Activities((0..count).map(|_| ActivityPlan::draw(dice)).collect())
            }
            4..=6 => {
                let count = if dice.chance(700) { 1 } else { dice.between(2, 5) };
                Self::Timers((0..count).map(|_| dice.span(0, 8_000)).collect())
            }
            7 => Self::CancelledTimer(ActivityPlan::draw(dice)),
            8 => Self::CancelledActivity,
            9 | 10 => Self::Signals(usize::try_from(dice.between(1, 3)).unwrap_or(1)),
            11 => Self::Marker,
            12 => Self::Memo,
            _ if dice.chance(300) => Self::BadCommand,
            _ => Self::FailedTasks(i32::try_from(dice.between(1, 3)).unwrap_or(1)),
        }
    }
}
