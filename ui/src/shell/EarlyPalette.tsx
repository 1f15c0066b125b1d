import { Icon } from "../kit/icons";
import { useStore } from "../kit/store";
import { earlyStore } from "./early";

/** Stands for the palette while it is on the way: what is typed is not lost, and can be seen. */
export function EarlyPalette() {
  const { typed } = useStore(earlyStore);
  return (
    <>
      <div className="backdrop" />
      <div className="picker" role="dialog" aria-label="Find anything" aria-busy="true">
        <div className="picker-input">
          <Icon name="search" />
          <output className="picker-early">{typed}</output>
          <kbd>Esc</kbd>
        </div>
      </div>
    </>
  );
}
