/** Addresses on the way in and out. */

/** The path below which the pages are. */
const home = (): string => new URL(document.baseURI).pathname;

/**
 * Where to go after a sign-in: a path of this server and nothing else. The server checks it again.
 */
export function safeReturn(wanted: string | undefined, base = home()): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: browsers drop some of them from addresses
  if (wanted === undefined || !/^\/(?![/\\])[^\\\u0000-\u0020\u007f]*$/.test(wanted)) return base;
  try {
    const url = new URL(wanted, "http://here.invalid");
    if (url.host !== "here.invalid" || url.username !== "") return base;
    if (url.pathname.endsWith("/sign-in")) return base;
    return `${url.pathname}${url.search}${url.hash}`;
  } catch {
    return base;
  }
}

/** Where a provider's sign-in begins. */
export function providerAddress(provider: string, returnUrl: string): string {
  const url = new URL("auth/sso", document.baseURI);
  url.searchParams.set("provider", provider);
  url.searchParams.set("returnUrl", returnUrl);
  return url.href;
}

/** The page that offers the providers. */
export function signInAddress(search: Record<string, string> = {}): string {
  const url = new URL("sign-in", document.baseURI);
  for (const [name, value] of Object.entries(search)) url.searchParams.set(name, value);
  return url.href;
}

/** The page that is shown here, as the server knows it. */
export const here = (): string => `${location.pathname}${location.search}${location.hash}`;

/** The page that says that somebody has signed in, and that its tab can be closed. */
export const signedInPath = (): string => new URL("signed-in", document.baseURI).pathname;
