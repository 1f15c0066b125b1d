import { useState } from "react";
import { Code } from "../../kit/Code";
import { Dialog } from "../../kit/Dialog";
import { Icon } from "../../kit/icons";
import { Menu, MenuItem, MenuSeparator } from "../../kit/Menu";
import { useStore } from "../../kit/store";
import { TextField } from "../../kit/TextField";
import { keepView, savedViewsStore, systemViews } from "./views";

/** Filters with names: those of everybody, and one's own. */
export function ViewMenu({
  query,
  onChoose,
}: {
  query: string;
  onChoose: (query: string) => void;
}) {
  const saved = useStore(savedViewsStore);
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState("");
  const current = saved.find((view) => view.query === query);
  return (
    <>
      <Menu label={current?.name ?? "Views"} icon={<Icon name="star" />}>
        {systemViews(new Date()).map((view) => (
          <MenuItem key={view.name} onSelect={() => onChoose(view.query)}>
            {view.name}
          </MenuItem>
        ))}
        {saved.length > 0 && <MenuSeparator />}
        {saved.map((view) => (
          <MenuItem key={view.name} onSelect={() => onChoose(view.query)}>
            <Icon name="star" size={12} /> {view.name}
          </MenuItem>
        ))}
        <MenuSeparator />
        <MenuItem
          onSelect={() => setNaming(true)}
          disabled={query === "" ? "There is no filter to save" : undefined}
        >
          Save this filter…
        </MenuItem>
        {current && (
          <MenuItem
            danger
            onSelect={() => savedViewsStore.set(saved.filter((view) => view !== current))}
          >
            Forget “{current.name}”
          </MenuItem>
        )}
      </Menu>
      {naming && (
        <Dialog title="Save this filter" onClose={() => setNaming(false)}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              savedViewsStore.set(keepView(saved, { name: name.trim(), query }));
              setNaming(false);
              setName("");
            }}
          >
            <div className="dialog-body">
              <Code>{query}</Code>
              <TextField
                label="Name"
                hint="Kept in this browser."
                required
                maxLength={60}
                value={name}
                onChange={setName}
              />
            </div>
            <footer className="dialog-footer">
              <button type="button" className="button" onClick={() => setNaming(false)}>
                Cancel
              </button>
              <button type="submit" className="button primary" disabled={name.trim() === ""}>
                Save
              </button>
            </footer>
          </form>
        </Dialog>
      )}
    </>
  );
}
