import { Icon } from "../../kit/icons";
import { Menu, MenuCheck, MenuSeparator } from "../../kit/Menu";
import { useStore } from "../../kit/store";
import { BUILT_IN, columnsStore } from "./columns";

/** Which columns the list has; custom search attributes are among them. */
export function ColumnMenu({ customAttributes }: { customAttributes: string[] }) {
  const { shown } = useStore(columnsStore);
  const set = (id: string, on: boolean): void => {
    const next = on ? [...shown, id] : shown.filter((one) => one !== id);
    if (next.length > 0) columnsStore.set({ shown: next });
  };
  return (
    <Menu label="Columns" icon={<Icon name="columns" />} className="icon-button bordered" iconOnly>
      {BUILT_IN.map(({ id, label }) => (
        <MenuCheck key={id} checked={shown.includes(id)} onChange={(on) => set(id, on)}>
          {label}
        </MenuCheck>
      ))}
      {customAttributes.length > 0 && <MenuSeparator />}
      {customAttributes.map((name) => (
        <MenuCheck
          key={name}
          checked={shown.includes(`sa:${name}`)}
          onChange={(on) => set(`sa:${name}`, on)}
        >
          {name}
        </MenuCheck>
      ))}
    </Menu>
  );
}
