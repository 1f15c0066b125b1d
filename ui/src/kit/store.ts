import { useSyncExternalStore } from "react";

/** A value outside of components that they can watch. */
export interface Store<T> {
  get(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A store that outlives the page, in this browser only. What is there is read with `read`. */
export function createKeptStore<T>(
  key: string,
  read: (stored: unknown) => T,
  storage: () => Storage = () => localStorage,
): Store<T> {
  let stored: unknown;
  try {
    stored = JSON.parse(storage().getItem(key) ?? "null");
  } catch {
    stored = null;
  }
  const store = createStore(read(stored));
  return {
    ...store,
    set(value) {
      store.set(value);
      try {
        storage().setItem(key, JSON.stringify(value));
      } catch {
        // A browser may keep nothing: then the value holds until the page is closed.
      }
    },
  };
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}
