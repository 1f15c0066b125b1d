//! The policies that are in force, and how they change while the server runs.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use authz::{Denial, Further, Ground, Question, Ruling};
use model::Span;
use tokio_util::sync::CancellationToken;

use crate::{
    PoliciesError,
    entities::{Names, context},
    set::{Set, read},
};

/// How long files have to stay as they are before they are taken: whoever writes them does not
/// write them all at once.
const SETTLING: Span = Span::from_millis(100);

/// Whether policies decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// They do.
    #[default]
    Enforce,
    /// They are asked, and the log says what they would have decided.
    Shadow,
}

/// Which policies, and what they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// A file, or a directory whose files end in `.cedar`.
    pub path: PathBuf,
    /// Whether they decide.
    pub mode: Mode,
    /// Whether they may allow what no role does.
    pub may_permit: bool,
    /// How often the files are looked at again.
    pub refresh_interval: Span,
}

impl Settings {
    /// What is there, in force, and never looked at again.
    pub const fn of(path: PathBuf) -> Self {
        Self { path, mode: Mode::Enforce, may_permit: false, refresh_interval: Span::ZERO }
    }
}

/// Cedar policies.
#[derive(Debug)]
pub struct Policies {
    settings: Settings,
    names: Names,
    current: ArcSwap<(u64, Set)>,
    shadow_denials: AtomicU64,
    shadow_permits: AtomicU64,
    failures: AtomicU64,
}

impl Policies {
    /// Reads and checks the policies.
    ///
    /// # Errors
    /// When a file is unreadable, malformed, or speaks of what there is not.
    pub fn open(settings: Settings) -> Result<Arc<Self>, PoliciesError> {
        let set = Set::new(read(&settings.path)?)?;
        let names = Names::new().map_err(PoliciesError::Schema)?;
        Ok(Arc::new(Self {
            settings,
            names,
            current: ArcSwap::from_pointee((0, set)),
            shadow_denials: AtomicU64::new(0),
            shadow_permits: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }))
    }

    /// These policies and how far they go, for who decides.
    pub fn further(self: &Arc<Self>) -> Further {
        Further {
            rules: Arc::clone(self) as Arc<dyn authz::Rules>,
            may_permit: self.settings.may_permit,
            shadow: self.settings.mode == Mode::Shadow,
        }
    }

    /// Says how many there are, and whether some of them do nothing.
    pub fn tell(&self) {
        let (count, permits) = (self.count(), self.current.load().1.permits());
        let shadow = !self.decides();
        tracing::info!(count, shadow, "policies are in force");
        if permits > 0 && !self.settings.may_permit {
            tracing::warn!(permits, "policies that permit do nothing: mayPermit is not set");
        }
    }

    /// How many policies are in force.
    pub fn count(&self) -> usize {
        self.current.load().1.len()
    }

    /// How many calls would have been denied, in the shadow.
    pub fn shadow_denials(&self) -> u64 {
        self.shadow_denials.load(Ordering::Relaxed)
    }

    /// How many calls would have been permitted that no role allows, in the shadow.
    pub fn shadow_permits(&self) -> u64 {
        self.shadow_permits.load(Ordering::Relaxed)
    }

    /// How often the files could not be taken.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Reads the files again. True when they have changed; the next call is decided by them.
    ///
    /// # Errors
    /// When anything is wrong with them. The former policies stay in force.
    pub fn refresh(&self) -> Result<bool, PoliciesError> {
        let texts = read(&self.settings.path)?;
        let current = self.current.load();
        let (generation, set) = current.as_ref();
        if texts == set.texts {
            return Ok(false);
        }
        self.current.store(Arc::new((generation + 1, Set::new(texts)?)));
        Ok(true)
    }

    /// True when the files are others than those that are in force, and stay so for a while.
    async fn have_changed(self: &Arc<Self>) -> Result<bool, PoliciesError> {
        let texts = read(&self.settings.path)?;
        if texts == self.current.load().1.texts {
            return Ok(false);
        }
        tokio::time::sleep(SETTLING.to_std()).await;
        Ok(texts == read(&self.settings.path)?)
    }

    async fn refresh_once_settled(self: &Arc<Self>) -> Result<bool, PoliciesError> {
        if !self.have_changed().await? {
            return Ok(false);
        }
        // A thousand policies take a while to check; calls go on meanwhile.
        let this = Arc::clone(self);
        let refreshed = tokio::task::spawn_blocking(move || this.refresh()).await;
        refreshed.unwrap_or_else(|_| Err(PoliciesError::Schema("the check panicked".to_owned())))
    }

    /// Refreshes again and again until `stop` is cancelled.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let mut told = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.settings.refresh_interval.to_std()) => {}
            }
            match self.refresh_once_settled().await {
                Ok(true) => {
                    told = None;
                    self.tell();
                }
                Ok(false) => told = None,
                Err(error) => {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    let text = error.to_string();
                    // Files stay wrong for a while; once is loud enough.
                    if told.as_ref() != Some(&text) {
                        tracing::error!(%error, "policies are not taken; the former ones stay");
                        told = Some(text);
                    }
                }
            }
        }
    }

    /// Whether they decide.
    pub fn decides(&self) -> bool {
        self.settings.mode == Mode::Enforce
    }

    /// The text of the policy of this name.
    pub fn text(&self, rule: &str) -> Option<String> {
        self.current.load().1.text(rule)
    }
}

impl authz::Rules for Policies {
    fn judge(&self, question: &Question<'_>) -> Ruling {
        let current = self.current.load();
        let (generation, set) = current.as_ref();
        if set.len() == 0 {
            return Ruling::Silent;
        }
        let Question { caller, rpc, resource } = question;
        let made = self.names.entities(caller, &set.actions, *generation);
        let (entities, context) = match (made, context(*resource)) {
            (Ok(entities), Ok(context)) => (entities, context),
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(error, "a question cannot be put to the policies");
                return Ruling::Forbids("a question that cannot be put".to_owned());
            }
        };
        let names = (
            self.names.principal(caller.principal()),
            self.names.action(rpc.name),
            self.names.resource(*resource),
        );
        set.ask(names, context, &entities)
    }

    fn differ(&self, question: &Question<'_>, would: &Result<Ground, Denial>) {
        let (rpc, namespace) = (question.rpc.name, question.resource.namespace);
        let (_, principal) = question.caller.principal().stamp().unwrap_or_default();
        match would {
            Err(denial) => {
                self.shadow_denials.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%denial, rpc, namespace, principal, "would have been denied");
            }
            Ok(ground) => {
                self.shadow_permits.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%ground, rpc, namespace, principal, "would have been permitted");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use authz::{Caller, Claims, Details, Policy, Principal, Resource, Roles, Rules as _};
    use tempfile::TempDir;

    use super::*;

    struct Bench {
        folder: TempDir,
        policies: Arc<Policies>,
    }

    fn settings(folder: &TempDir, mode: Mode) -> Settings {
        let path = folder.path().to_owned();
        Settings { path, mode, may_permit: true, refresh_interval: Span::from_millis(10) }
    }

    fn bench(text: &str, mode: Mode) -> Bench {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("rules.cedar"), text).unwrap();
        let policies = Policies::open(settings(&folder, mode)).unwrap();
        Bench { folder, policies }
    }

    fn caller(who: &str) -> Caller {
        let mut claims = Claims::default();
        claims.grant_permission("orders:write");
        Caller::new(Principal::named("jwt", who), claims)
    }

    fn ruling(policies: &Policies, who: &str, name: &str, details: Details<'_>) -> Ruling {
        let (caller, rpc) = (caller(who), authz::method(name).unwrap());
        let resource = Resource::in_namespace("orders").about(details);
        policies.judge(&Question { caller: &caller, rpc, resource })
    }

    const PAYMENTS: &str = r#"
        @id("payments")
        forbid (principal, action in Action::"starts", resource == Namespace::"orders")
        when { context has workflowType && context.workflowType like "Payment*" }
        unless { principal.name == "cashier" };

        permit (principal in Role::"orders:write", action == Action::"UpdateNamespace", resource);
    "#;

    fn of_type(workflow_type: &str) -> Details<'_> {
        Details { workflow_type, ..Details::default() }
    }

    #[test]
    fn policies_speak_of_callers_methods_and_what_requests_name() {
        let Bench { policies, folder: _folder } = bench(PAYMENTS, Mode::Enforce);
        let forbids = Ruling::Forbids("rules.cedar/payments".to_owned());
        for name in ["StartWorkflowExecution", "SignalWithStartWorkflowExecution"] {
            assert_eq!(ruling(&policies, "bob", name, of_type("PaymentFlow")), forbids);
            assert_eq!(ruling(&policies, "bob", name, of_type("Shipping")), Ruling::Silent);
            assert_eq!(ruling(&policies, "cashier", name, of_type("PaymentFlow")), Ruling::Silent);
        }
        let permits = Ruling::Permits("rules.cedar/2".to_owned());
        assert_eq!(ruling(&policies, "bob", "UpdateNamespace", Details::default()), permits);
    }

    #[test]
    fn in_the_shadow_nothing_is_decided_and_all_is_counted() {
        let Bench { policies, folder: _folder } = bench(PAYMENTS, Mode::Shadow);
        let policy = Policy::Ruled(Roles::default(), policies.further());
        let decide = |name: &str, workflow_type| {
            let resource = Resource::in_namespace("orders").about(of_type(workflow_type));
            authz::authorize(&caller("bob"), authz::method(name).unwrap(), resource, &policy)
        };
        assert!(decide("StartWorkflowExecution", "PaymentFlow").is_ok());
        assert!(decide("StartWorkflowExecution", "Shipping").is_ok());
        assert!(decide("UpdateNamespace", "").is_err());
        assert_eq!((policies.shadow_denials(), policies.shadow_permits()), (1, 1));
    }

    #[test]
    fn new_policies_hold_from_the_next_call_on_and_wrong_ones_never() {
        let Bench { policies, folder } = bench(PAYMENTS, Mode::Enforce);
        let start = || ruling(&policies, "bob", "StartWorkflowExecution", of_type("Shipping"));
        let file = folder.path().join("more.cedar");
        for wrong in [
            "forbid (principal, action",
            r#"forbid (principal, action == Action::"StartWorkflow", resource);"#,
            "forbid (principal, action, resource) when { context.workflowType == \"x\" };",
            "forbid (principal, action, resource) when { principal.surname == \"x\" };",
            "forbid (principal == ?principal, action, resource);",
        ] {
            fs::write(&file, wrong).unwrap();
            assert!(policies.refresh().is_err(), "{wrong}");
            assert_eq!(start(), Ruling::Silent);
        }
        fs::write(&file, "@id(\"stop\") forbid (principal, action, resource);").unwrap();
        assert!(policies.refresh().unwrap());
        assert_eq!(start(), Ruling::Forbids("more.cedar/stop".to_owned()));
        fs::remove_file(&file).unwrap();
        assert!(policies.refresh().unwrap());
        assert!(!policies.refresh().unwrap());
        assert_eq!(start(), Ruling::Silent);
    }

    #[test]
    fn policies_that_are_gone_stay_in_force() {
        let Bench { policies, folder } = bench(PAYMENTS, Mode::Enforce);
        let start = || ruling(&policies, "bob", "StartWorkflowExecution", of_type("PaymentFlow"));
        let (file, aside) = (folder.path().join("rules.cedar"), folder.path().join("aside"));
        fs::rename(&file, &aside).unwrap();
        let error = policies.refresh().unwrap_err().to_string();
        assert!(error.contains("has no file that ends in `.cedar`"), "{error}");
        assert!(matches!(start(), Ruling::Forbids(_)));
        // None at all is what an empty file says.
        fs::write(&file, "").unwrap();
        assert!(policies.refresh().unwrap());
        assert_eq!(start(), Ruling::Silent);
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_still_written_is_not_taken() {
        let Bench { policies, folder } = bench(PAYMENTS, Mode::Enforce);
        let file = folder.path().join("rules.cedar");
        let half = "permit (principal, action, resource);";
        fs::write(&file, half).unwrap();
        let refreshing = Arc::clone(&policies);
        let first = tokio::spawn(async move { refreshing.refresh_once_settled().await });
        tokio::task::yield_now().await;
        fs::write(&file, format!("{half} {PAYMENTS}")).unwrap();
        assert!(!first.await.unwrap().unwrap());
        assert_eq!(policies.count(), 2);
        assert!(policies.refresh_once_settled().await.unwrap());
        assert_eq!(policies.count(), 3);
    }

    #[test]
    fn a_policy_that_cannot_be_evaluated_forbids() {
        let text = "forbid (principal, action, resource) when { 9223372036854775807 + 1 == 0 };";
        let Bench { policies, folder: _folder } = bench(text, Mode::Enforce);
        let ruling = ruling(&policies, "bob", "ListWorkflowExecutions", Details::default());
        assert_eq!(ruling, Ruling::Forbids("rules.cedar/1".to_owned()));
    }

    #[test]
    fn a_caller_s_entities_are_made_once() {
        let Bench { policies, folder: _folder } = bench(PAYMENTS, Mode::Enforce);
        let caller = Caller::new(Principal::named("jwt", "bob"), Claims::default());
        let entities = || {
            let current = policies.current.load();
            policies.names.entities(&caller, &current.1.actions, current.0).unwrap()
        };
        assert!(Arc::ptr_eq(&entities(), &entities()));
    }
}
