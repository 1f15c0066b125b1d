import { useState } from "react";
import { Dialog } from "../kit/Dialog";
import { activeShortcuts } from "../kit/keys";

const readable = (keys: string): string[] => keys.replace("mod+", "Ctrl ").split(" ");

export function ShortcutSheet({ onClose }: { onClose: () => void }) {
  // As they were when the sheet was opened.
  const [groups] = useState(() => activeShortcuts());
  return (
    <Dialog title="Keys" onClose={onClose}>
      <div className="sheet">
        {groups.map(({ title, shortcuts }) => (
          <section key={title}>
            <h2>{title}</h2>
            <dl>
              {shortcuts.map(({ keys, label }) => (
                <div key={keys}>
                  <dt>{label}</dt>
                  <dd>
                    {readable(keys).map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
