//! What was asked for and holds until somebody asks for its end.

use std::collections::BTreeMap;

use model::Time;

/// What holds for each workflow.
#[derive(Debug, Clone)]
pub(crate) struct Windows<T> {
    windows: BTreeMap<String, Window<T>>,
}

#[derive(Debug, Clone)]
struct Window<T> {
    /// How many ends were asked for.
    epoch: u64,
    /// Requests for an end that are not answered: they may still be carried out.
    under_way: u64,
    holds: Option<Holding<T>>,
}

/// Something that holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holding<T> {
    /// Before it was asked for.
    asked: Time,
    /// After it was acknowledged.
    since: Time,
    pub(crate) value: T,
}

impl<T> Default for Windows<T> {
    fn default() -> Self {
        Self { windows: BTreeMap::new() }
    }
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { epoch: 0, under_way: 0, holds: None }
    }
}

impl<T> Holding<T> {
    /// Whether it has to hold for what was there when it was asked for, and began later.
    pub(crate) fn is_about(&self, was_there_from: Time, began: Time) -> bool {
        was_there_from < self.asked && began > self.since
    }
}

impl<T: Clone> Windows<T> {
    /// Somebody asks for the end: from here on nothing is known to hold.
    pub(crate) fn end_asked(&mut self, workflow_id: &str) {
        let window = self.windows.entry(workflow_id.to_owned()).or_default();
        window.epoch += 1;
        window.under_way += 1;
        window.holds = None;
    }

    /// Whoever asked for the end has an answer.
    pub(crate) fn end_answered(&mut self, workflow_id: &str) {
        if let Some(window) = self.windows.get_mut(workflow_id) {
            window.under_way = window.under_way.saturating_sub(1);
        }
    }

    /// How many ends were asked for so far.
    pub(crate) fn epoch(&self, workflow_id: &str) -> u64 {
        self.windows.get(workflow_id).map_or(0, |window| window.epoch)
    }

    /// Somebody is about to ask for it; none while an end is under way.
    pub(crate) fn asked(&self, workflow_id: &str) -> Option<u64> {
        let window = self.windows.get(workflow_id);
        let is_calm = window.is_none_or(|window| window.under_way == 0);
        is_calm.then(|| self.epoch(workflow_id))
    }

    /// It was acknowledged: it holds, unless somebody asked for its end meanwhile.
    pub(crate) fn answered(
        &mut self,
        workflow_id: &str,
        epoch: Option<u64>,
        asked: Time,
        since: Time,
        value: T,
    ) {
        let window = self.windows.entry(workflow_id.to_owned()).or_default();
        if epoch == Some(window.epoch) && window.under_way == 0 {
            window.holds = Some(Holding { asked, since, value });
        }
    }

    /// What holds.
    pub(crate) fn holding(&self, workflow_id: &str) -> Option<Holding<T>> {
        self.windows.get(workflow_id)?.holds.clone()
    }
}
