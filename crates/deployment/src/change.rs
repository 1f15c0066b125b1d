//! What may change a deployment. Pure: the time is an argument, and nothing is stored here.

use std::collections::BTreeMap;

use api::{
    common::v1::Payload,
    deployment::v1::{VersionDrainageInfo, WorkerDeploymentVersion},
    enums::v1::VersionDrainageStatus,
};
use bytes::Bytes;
use matching::TaskQueueKey;
use model::Time;

use crate::{
    Deployment, DeploymentError, QUEUES_MAX, ServedQueue, VERSIONS_MAX, Version,
    names::{UNVERSIONED, display_text, legacy_text},
};

/// Who changes a deployment, and on which condition.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Who.
    pub identity: String,
    /// The deployment as the caller knows it; empty for however it is.
    pub conflict_token: Bytes,
    /// Make a version that has not polled yet.
    pub allow_no_pollers: bool,
    /// When.
    pub now: Time,
}

/// Where a part of the workflows goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ramping {
    /// Nowhere else.
    Unset,
    /// To workers without a version.
    Unversioned,
    /// To this build.
    Build(String),
}

/// What the routing was before a change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Previous {
    /// The version, as older clients read it.
    pub version: String,
    /// The percentage of a ramping version.
    pub percentage: f32,
}

impl Deployment {
    /// A worker of a version polls a queue; false when that is known.
    ///
    /// # Errors
    /// When there is no room for another version or queue.
    pub fn register(
        &mut self,
        build_id: &str,
        key: &TaskQueueKey,
        now: Time,
        has_pollers: impl Fn(&Version) -> bool,
    ) -> Result<bool, DeploymentError> {
        if self.versions.get(build_id).is_some_and(|version| version.serves(key)) {
            return Ok(false);
        }
        let version = self.make_version(build_id, now, has_pollers)?;
        if version.queues.len() >= QUEUES_MAX {
            return Err(DeploymentError::TooMany(format!(
                "cannot add task queue {} since maximum number of task queues ({QUEUES_MAX}) have \
                 been registered in deployment",
                key.name
            )));
        }
        version.queues.push(ServedQueue::of(key));
        version.awaits_poll = false;
        Ok(true)
    }

    /// A request makes a version; false when the same request did before.
    ///
    /// # Errors
    /// When there is such a version, or no room for another.
    pub fn create_version(
        &mut self,
        build_id: &str,
        identity: &str,
        request_id: &str,
        now: Time,
        has_pollers: impl Fn(&Version) -> bool,
    ) -> Result<bool, DeploymentError> {
        if let Some(found) = self.versions.get(build_id) {
            if found.create_request_id == request_id {
                return Ok(false);
            }
            let version = legacy_text(Some(&self.version_of(build_id)));
            let text = format!("Worker Deployment Version \"{version}\" already exists");
            return Err(DeploymentError::AlreadyExists(text));
        }
        let version = self.make_version(build_id, now, has_pollers)?;
        version.awaits_poll = true;
        request_id.clone_into(&mut version.create_request_id);
        identity.clone_into(&mut version.last_modifier_identity);
        Ok(true)
    }

    /// Makes a version current, or workers without one. `misses` says whether the second version
    /// lacks a queue that the first one serves and that is in use.
    ///
    /// # Errors
    /// When the caller may not, or the version cannot.
    pub fn set_current(
        &mut self,
        build_id: Option<&str>,
        change: &Change,
        misses: impl Fn(&Self, &str, &str) -> bool,
        has_pollers: impl Fn(&Version) -> bool,
    ) -> Result<Previous, DeploymentError> {
        let version = build_id.map(|build_id| self.version_of(build_id));
        let before = self.routing.current_deployment_version.clone();
        let previous = Previous { version: legacy_text(before.as_ref()), percentage: 0.0 };
        if version == before && self.last_modifier_identity == change.identity {
            return Ok(previous);
        }
        self.check(change)?;
        if let Some(build_id) = build_id {
            self.find_or_make(build_id, change, &has_pollers)?;
        }
        self.check_manager(&change.identity)?;
        if let (Some(old), Some(new)) = (&before, &version)
            && old != new
            && misses(self, &old.build_id, &new.build_id)
        {
            return Err(missing_queues("current", new));
        }
        if version != before {
            let was_ramping = match build_id {
                Some(build_id) => self.is_ramping(build_id),
                None => self.ramps_to_unversioned(),
            };
            if was_ramping {
                self.clear_ramp(change.now);
            }
            self.routing.current_deployment_version = version;
            self.routing.current_version_changed_time = change.now.to_proto();
            self.routing.revision_number += 1;
            self.activate(build_id, change, |version| {
                version.current_since = change.now;
                version.last_current_time = change.now;
                version.ramping_since = Time::UNSET;
            });
            self.deactivate(before.as_ref(), change.now);
        }
        self.changed(change);
        Ok(previous)
    }

    /// Sends a part of the workflows elsewhere. See [`set_current`](Self::set_current).
    ///
    /// # Errors
    /// When the caller may not, or the version cannot.
    pub fn set_ramping(
        &mut self,
        ramping: &Ramping,
        percentage: f32,
        change: &Change,
        misses: impl Fn(&Self, &str, &str) -> bool,
        has_pollers: impl Fn(&Version) -> bool,
    ) -> Result<Previous, DeploymentError> {
        let before = self.ramping();
        let percentage_before = self.routing.ramping_version_percentage;
        let previous =
            Previous { version: self.ramping_text(&before), percentage: percentage_before };
        let same_percentage = percentage.to_bits() == percentage_before.to_bits();
        let same = *ramping == before && same_percentage;
        if same && self.last_modifier_identity == change.identity {
            return Ok(previous);
        }
        self.check(change)?;
        let current = self.routing.current_deployment_version.clone();
        let is_current = match ramping {
            Ramping::Unset => false,
            Ramping::Unversioned => current.is_none(),
            Ramping::Build(build_id) => self.is_current(build_id),
        };
        if is_current {
            let text = self.ramping_text(ramping);
            return Err(DeploymentError::Precondition(format!(
                "requested ramping version {text} is already current"
            )));
        }
        if let Ramping::Build(build_id) = ramping {
            self.find_or_make(build_id, change, &has_pollers)?;
        }
        self.check_manager(&change.identity)?;
        if let (Some(current), Ramping::Build(build_id)) = (&current, ramping)
            && *ramping != before
            && misses(self, &current.build_id, build_id)
        {
            return Err(missing_queues("ramping", &self.version_of(build_id)));
        }
        if !same {
            self.ramp_to(ramping, percentage, &before, change);
        }
        self.changed(change);
        Ok(previous)
    }

    fn ramp_to(&mut self, ramping: &Ramping, percentage: f32, before: &Ramping, change: &Change) {
        let left = self.routing.ramping_deployment_version.take();
        self.routing.ramping_version_percentage = percentage;
        self.routing.ramping_version_percentage_changed_time = change.now.to_proto();
        self.routing.revision_number += 1;
        if ramping != before {
            self.routing.ramping_version_changed_time = change.now.to_proto();
        }
        match ramping {
            Ramping::Build(build_id) => {
                self.routing.ramping_deployment_version = Some(self.version_of(build_id));
                let new = ramping != before;
                self.activate(Some(build_id), change, |version| {
                    if new {
                        version.ramping_since = change.now;
                    }
                });
            }
            Ramping::Unset => self.routing.ramping_version_percentage = 0.0,
            Ramping::Unversioned => {}
        }
        if ramping != before {
            self.deactivate(left.as_ref(), change.now);
        }
    }

    /// Says who alone may change the routing; empty for anybody.
    ///
    /// # Errors
    /// When the deployment was changed meanwhile.
    pub fn set_manager(
        &mut self,
        manager_identity: &str,
        change: &Change,
    ) -> Result<String, DeploymentError> {
        let same = self.manager_identity == manager_identity;
        if same && self.last_modifier_identity == change.identity {
            return Ok(self.manager_identity.clone());
        }
        self.check(change)?;
        let previous = std::mem::replace(&mut self.manager_identity, manager_identity.to_owned());
        self.changed(change);
        Ok(previous)
    }

    /// Deletes a version; one that does not exist is deleted already.
    ///
    /// # Errors
    /// When it is in use, or the caller may not.
    pub fn delete_version(
        &mut self,
        build_id: &str,
        identity: &str,
        skip_drainage: bool,
        has_pollers: impl Fn(&Version) -> bool,
    ) -> Result<(), DeploymentError> {
        let Some(version) = self.versions.get(build_id) else { return Ok(()) };
        let name = display_text(&self.version_of(build_id));
        let refused = |why: &str| {
            DeploymentError::Precondition(format!(
                "version '{name}' cannot be deleted since it {why}"
            ))
        };
        if self.is_current(build_id) || self.is_ramping(build_id) {
            return Err(refused("is current or ramping"));
        }
        self.check_manager(identity)?;
        if !skip_drainage && is_draining(version) {
            return Err(refused("is draining"));
        }
        if has_pollers(version) {
            return Err(refused("has active pollers"));
        }
        self.versions.remove(build_id);
        identity.clone_into(&mut self.last_modifier_identity);
        Ok(())
    }

    /// Changes what users wrote about a version.
    ///
    /// # Errors
    /// When there is no such version.
    pub fn update_metadata(
        &mut self,
        build_id: &str,
        upserted: BTreeMap<String, Payload>,
        removed: &[String],
        identity: &str,
    ) -> Result<BTreeMap<String, Payload>, DeploymentError> {
        let deployment_name = self.name.clone();
        let version = self.versions.get_mut(build_id).ok_or_else(|| {
            DeploymentError::VersionNotFound { deployment_name, build_id: build_id.to_owned() }
        })?;
        let metadata = version.metadata.get_or_insert_default();
        metadata.entries.extend(upserted);
        metadata.entries.retain(|key, _| !removed.contains(key));
        identity.clone_into(&mut version.last_modifier_identity);
        Ok(metadata.entries.clone())
    }

    /// Notes whether open runs are still pinned to a version that is no longer in use.
    pub fn note_drainage(&mut self, build_id: &str, has_open_runs: bool, now: Time) {
        let Some(version) = self.versions.get_mut(build_id) else { return };
        let Some(drainage) = &mut version.drainage else { return };
        let status = if has_open_runs {
            VersionDrainageStatus::Draining
        } else {
            VersionDrainageStatus::Drained
        };
        if drainage.status() != status {
            drainage.set_status(status);
            drainage.last_changed_time = now.to_proto();
        }
        drainage.last_checked_time = now.to_proto();
    }

    /// Where a part of the workflows goes at the moment.
    pub fn ramping(&self) -> Ramping {
        match &self.routing.ramping_deployment_version {
            Some(version) => Ramping::Build(version.build_id.clone()),
            None if self.ramps_to_unversioned() => Ramping::Unversioned,
            None => Ramping::Unset,
        }
    }

    /// The ramping version as older clients read it.
    pub fn ramping_text(&self, ramping: &Ramping) -> String {
        match ramping {
            Ramping::Unset => String::new(),
            Ramping::Unversioned => UNVERSIONED.to_owned(),
            Ramping::Build(build_id) => legacy_text(Some(&self.version_of(build_id))),
        }
    }

    fn ramps_to_unversioned(&self) -> bool {
        self.routing.ramping_deployment_version.is_none()
            && self.routing.ramping_version_percentage > 0.0
    }

    fn check(&self, change: &Change) -> Result<(), DeploymentError> {
        let token = &change.conflict_token;
        if !token.is_empty() && *token != self.conflict_token() {
            return Err(DeploymentError::Precondition("conflict token mismatch".to_owned()));
        }
        Ok(())
    }

    fn check_manager(&self, identity: &str) -> Result<(), DeploymentError> {
        let manager = &self.manager_identity;
        if manager.is_empty() || manager == identity {
            return Ok(());
        }
        Err(DeploymentError::Precondition(format!(
            "ManagerIdentity '{manager}' is set and does not match user identity '{identity}'; to \
             proceed, set your own identity as the ManagerIdentity, remove the ManagerIdentity, or \
             wait for the other client to do so"
        )))
    }

    fn find_or_make(
        &mut self,
        build_id: &str,
        change: &Change,
        has_pollers: &impl Fn(&Version) -> bool,
    ) -> Result<(), DeploymentError> {
        if self.versions.contains_key(build_id) {
            return Ok(());
        }
        if !change.allow_no_pollers {
            let (deployment_name, build_id) = (self.name.clone(), build_id.to_owned());
            return Err(DeploymentError::VersionNotFound { deployment_name, build_id });
        }
        self.check_manager(&change.identity)?;
        self.make_version(build_id, change.now, has_pollers)?;
        Ok(())
    }

    /// Finds or makes a version. When there are too many, the oldest that nobody needs goes.
    fn make_version(
        &mut self,
        build_id: &str,
        now: Time,
        has_pollers: impl Fn(&Version) -> bool,
    ) -> Result<&mut Version, DeploymentError> {
        if !self.versions.contains_key(build_id) && self.versions.len() >= VERSIONS_MAX {
            let free = self.versions.iter().filter(|(build_id, version)| {
                let used = self.is_current(build_id) || self.is_ramping(build_id);
                !used && !is_draining(version) && !has_pollers(version)
            });
            let oldest = free.min_by_key(|(_, version)| version.create_time);
            let Some(oldest) = oldest.map(|(build_id, _)| build_id.clone()) else {
                let version = legacy_text(Some(&self.version_of(build_id)));
                return Err(DeploymentError::TooMany(format!(
                    "cannot add version {version} since maximum number of versions \
                     ({VERSIONS_MAX}) have been registered in the deployment"
                )));
            };
            self.versions.remove(&oldest);
        }
        let made = || Version { create_time: now, ..Version::default() };
        Ok(self.versions.entry(build_id.to_owned()).or_insert_with(made))
    }

    /// A version is current or ramping from now on, and drains no more.
    fn activate(
        &mut self,
        build_id: Option<&str>,
        change: &Change,
        since: impl FnOnce(&mut Version),
    ) {
        let version = build_id.and_then(|build_id| self.versions.get_mut(build_id));
        let Some(version) = version else { return };
        since(version);
        version.drainage = None;
        version.routing_change_time = change.now;
        if !version.first_activation_time.is_set() {
            version.first_activation_time = change.now;
        }
    }

    /// A version is neither current nor ramping any more, unless it is.
    fn deactivate(&mut self, left: Option<&WorkerDeploymentVersion>, now: Time) {
        let Some(build_id) = left.map(|left| left.build_id.as_str()) else { return };
        if self.is_current(build_id) || self.is_ramping(build_id) {
            return;
        }
        let Some(version) = self.versions.get_mut(build_id) else { return };
        version.current_since = Time::UNSET;
        version.ramping_since = Time::UNSET;
        version.routing_change_time = now;
        version.last_deactivation_time = now;
        version.drainage = Some(VersionDrainageInfo {
            status: VersionDrainageStatus::Draining as i32,
            last_changed_time: now.to_proto(),
            last_checked_time: now.to_proto(),
        });
    }

    fn clear_ramp(&mut self, now: Time) {
        self.routing.ramping_deployment_version = None;
        self.routing.ramping_version_percentage = 0.0;
        self.routing.ramping_version_changed_time = now.to_proto();
        self.routing.ramping_version_percentage_changed_time = now.to_proto();
    }

    fn changed(&mut self, change: &Change) {
        self.change_time = change.now;
        self.last_modifier_identity.clone_from(&change.identity);
    }
}

fn is_draining(version: &Version) -> bool {
    let drainage = version.drainage.as_ref();
    drainage.is_some_and(|drainage| drainage.status() == VersionDrainageStatus::Draining)
}

fn missing_queues(role: &str, version: &WorkerDeploymentVersion) -> DeploymentError {
    let version = display_text(version);
    DeploymentError::Precondition(format!(
        "proposed {role} version '{version}' is missing active task queues from the current \
         version; these would become unversioned if it is set as the {role} version"
    ))
}
