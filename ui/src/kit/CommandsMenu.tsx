import { copy } from "./clipboard";
import { Icon } from "./icons";
import { Menu, MenuItem } from "./Menu";
import { toast } from "./toasts";

function give(text: string, what: string): void {
  copy(text).then(
    () => toast({ kind: "good", title: `Copied ${what}`, detail: <code>{text}</code> }),
    () => toast({ kind: "bad", title: "The browser did not let this page copy" }),
  );
}

/** Copies what would do the same on a command line. */
export function CopyCommand({ cli }: { cli: string }) {
  return (
    <button
      type="button"
      className="button quiet"
      title={cli}
      onClick={() => give(cli, "the command")}
    >
      <Icon name="copy" /> Copy as command
    </button>
  );
}

/** Copies what would show the same outside of the browser. */
export function CommandsMenu({ commands }: { commands: { cli: string; curl?: string } }) {
  return (
    <Menu label="Copy as" icon={<Icon name="copy" />} className="button quiet">
      <MenuItem onSelect={() => give(commands.cli, "the command")}>temporal command</MenuItem>
      {commands.curl !== undefined && (
        <MenuItem onSelect={() => give(commands.curl ?? "", "the curl command")}>
          curl command
        </MenuItem>
      )}
      <MenuItem onSelect={() => give(location.href, "the link")}>Link to this view</MenuItem>
    </Menu>
  );
}
