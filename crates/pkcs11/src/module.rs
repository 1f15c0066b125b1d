//! The modules of tokens that this process has loaded.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::digest::{SHA256, digest};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    session::{Session, UserType},
    slot::{Slot, TokenInfo},
};
use parking_lot::Mutex;

use super::{Pkcs11Pin, told};

/// Most modules of a process.
const MODULES_MAX: usize = 8;

/// Most PINs that are known to be wrong.
const REFUSED_MAX: usize = 1000;

/// What a process does with a module concerns all of it: it is initialized once, and whoever logs
/// in has logged in everybody. So there is one of each, and one use at a time. It is never unloaded,
/// as it may have threads.
static LOADED: Mutex<Vec<(PathBuf, Arc<Mutex<Module>>)>> = Mutex::new(Vec::new());

/// A loaded module.
#[derive(Debug)]
pub(super) struct Module {
    context: Pkcs11,
    /// Hashes of tokens with PINs that they refused.
    refused: BTreeSet<Vec<u8>>,
}

impl Module {
    /// The module of this file, loaded if it is not yet.
    pub(super) fn loaded(path: &Path) -> Result<Arc<Mutex<Self>>, String> {
        let mut loaded = LOADED.lock();
        if let Some((_, module)) = loaded.iter().find(|(known, _)| known == path) {
            return Ok(Arc::clone(module));
        }
        if loaded.len() >= MODULES_MAX {
            return Err(format!("{MODULES_MAX} modules are loaded already"));
        }
        let context = Pkcs11::new(path).map_err(told)?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(told(error)),
        }
        let module = Arc::new(Mutex::new(Self { context, refused: BTreeSet::new() }));
        loaded.push((path.to_owned(), Arc::clone(&module)));
        Ok(module)
    }

    /// All tokens that are there, with their slots.
    pub(super) fn tokens(&self) -> Result<Vec<(Slot, TokenInfo)>, String> {
        let slots = self.context.get_slots_with_initialized_token().map_err(told)?;
        let token = |slot| Ok((slot, self.context.get_token_info(slot).map_err(told)?));
        slots.into_iter().map(token).collect()
    }

    /// A session that ends, and logs out, when it is dropped.
    pub(super) fn open_session(&self, slot: Slot) -> Result<Session, String> {
        self.context.open_ro_session(slot).map_err(told)
    }

    /// Shows the PIN once, if there is no reason to think that it is wrong.
    pub(super) fn log_in(
        &mut self,
        session: &Session,
        token: &TokenInfo,
        pin: &Pkcs11Pin,
    ) -> Result<(), String> {
        if !token.login_required() {
            return Ok(());
        }
        if token.user_pin_locked() {
            return Err("its PIN is locked".to_owned());
        }
        if token.user_pin_final_try() {
            return Err("one wrong PIN more would lock it, so none is tried: \
                        log in by hand with the right one first"
                .to_owned());
        }
        let shown = fingerprint(token, pin);
        if self.refused.contains(&shown) {
            return Err("it has refused this PIN before, which is not tried again".to_owned());
        }
        match session.login(UserType::User, Some(&pin.pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(Error::Pkcs11(
                RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
                _,
            )) => {
                if self.refused.len() < REFUSED_MAX {
                    self.refused.insert(shown);
                }
                Err("it refuses the PIN".to_owned())
            }
            Err(Error::Pkcs11(RvError::PinLocked, _)) => Err("its PIN is locked".to_owned()),
            Err(error) => Err(told(error)),
        }
    }
}

fn fingerprint(token: &TokenInfo, pin: &Pkcs11Pin) -> Vec<u8> {
    let parts = [token.serial_number().as_bytes(), token.label().as_bytes(), pin.hash.as_ref()];
    digest(&SHA256, &parts.join(&0)).as_ref().to_vec()
}
