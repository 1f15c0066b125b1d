import { createKeptStore, useStore } from "../kit/store";

export type Theme = "system" | "light" | "dark";
export type TimeFormat = "relative" | "local" | "utc";
export type Density = "compact" | "comfortable";

export interface Settings {
  theme: Theme;
  times: TimeFormat;
  density: Density;
}

const THEMES: readonly string[] = ["system", "light", "dark"];
const TIMES: readonly string[] = ["relative", "local", "utc"];

/** What of a stored value can be used; the rest is as at first. */
export function readSettings(stored: unknown): Settings {
  const { theme, times, density } = (stored ?? {}) as Partial<Record<keyof Settings, unknown>>;
  return {
    theme: THEMES.includes(String(theme)) ? (theme as Theme) : "system",
    times: TIMES.includes(String(times)) ? (times as TimeFormat) : "relative",
    density: density === "comfortable" ? "comfortable" : "compact",
  };
}

export const settingsStore = createKeptStore("longtide.settings", readSettings);
export const useSettings = (): Settings => useStore(settingsStore);
export const changeSettings = (change: Partial<Settings>): void =>
  settingsStore.set({ ...settingsStore.get(), ...change });

/** Puts the chosen theme in force; the style sheet follows the system if none is named. */
export function applyTheme(): void {
  const { theme } = settingsStore.get();
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
settingsStore.subscribe(applyTheme);

/** Where payloads are decoded. */
export interface CodecSettings {
  /** `{namespace}` in it stands for the namespace; empty: nothing is decoded. */
  endpoint: string;
  /** Send the cookies of the codec server's site. */
  includeCredentials: boolean;
}

export const codecStore = createKeptStore<CodecSettings>("longtide.codec", (stored) => {
  const { endpoint, includeCredentials } = (stored ?? {}) as Partial<Record<string, unknown>>;
  return {
    endpoint: typeof endpoint === "string" ? endpoint : "",
    includeCredentials: includeCredentials === true,
  };
});

/** The codec server's token: for this tab, and forgotten with it. */
export const codecTokenStore = createKeptStore<string>(
  "longtide.codec-token",
  (stored) => (typeof stored === "string" ? stored : ""),
  () => sessionStorage,
);

/** The namespace that was looked at last. */
export const lastNamespaceStore = createKeptStore<string | null>("longtide.namespace", (stored) =>
  typeof stored === "string" ? stored : null,
);
