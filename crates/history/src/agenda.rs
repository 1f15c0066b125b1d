//! What runs and entities are about to do, told to a clock that passes over idle time. Other clocks
//! do not ask.

use environment::SkippableClock;
use model::{Agenda, RunId};

use crate::{commit::Commit, entities::Held, node::Node};

impl Commit {
    /// Notes what a run or an entity is about to do, if the clock asks.
    pub(crate) fn plan(
        &mut self,
        node: &Node,
        run_id: RunId,
        agenda: impl FnOnce(&SkippableClock) -> Agenda,
    ) {
        if let Some(clock) = node.environment.clock.skippable() {
            self.agendas.push((run_id, agenda(clock)));
        }
    }

    /// Notes what an entity is about to do; nothing when it is gone.
    pub(crate) fn plan_entity(&mut self, node: &Node, instance: RunId, state: Option<&dyn Held>) {
        self.plan(node, instance, |_| state.map_or(Agenda::EMPTY, Held::agenda));
    }

    /// Tells the clock of everybody in the step at once: between a run and the one that follows
    /// it there is no gap.
    pub(crate) fn tell_the_clock(&mut self, node: &Node) {
        if let Some(clock) = node.environment.clock.skippable() {
            clock.note(self.agendas.drain(..));
        }
    }
}
