/** Why a text is no name of an endpoint; nothing yet where there is none. */
export function nameProblem(name: string): string | undefined {
  if (name === "" || /^[a-zA-Z][a-zA-Z0-9-]*[a-zA-Z0-9]$/.test(name)) return undefined;
  return "letters, digits and hyphens; a letter first, no hyphen last";
}

/** Why a text is no address of a Nexus server; nothing yet where there is none. */
export function urlProblem(text: string): string | undefined {
  if (text === "") return undefined;
  try {
    const { protocol } = new URL(text);
    return protocol === "http:" || protocol === "https:" ? undefined : "http or https";
  } catch {
    return "no address, as https://nexus.example.com/";
  }
}
