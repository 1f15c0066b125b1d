//! A task that panics does not end the simulation by itself: the runtime keeps it to itself.

use std::{
    cell::RefCell,
    panic::{set_hook, take_hook},
    sync::Once,
};

thread_local! {
    static FIRST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Notes panics of this thread from here on.
pub(crate) fn watch() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            let text = panic.to_string();
            FIRST.with_borrow_mut(|first| {
                first.get_or_insert(text);
            });
            before(panic);
        }));
    });
    FIRST.with_borrow_mut(Option::take);
}

/// The first panic since the watch began.
pub(crate) fn take() -> Option<String> {
    FIRST.with_borrow_mut(Option::take)
}
