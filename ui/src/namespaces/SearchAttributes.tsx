import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useMay } from "../access/useMay";
import { post, within } from "../api/http";
import { ActionButton } from "../kit/ActionButton";
import { ChoiceField, type Choices } from "../kit/ChoiceField";
import { FormDialog } from "../kit/FormDialog";
import { Icon } from "../kit/icons";
import { type Column, ListTable } from "../kit/ListTable";
import { Loaded } from "../kit/states";
import { TextField } from "../kit/TextField";
import { toast } from "../kit/toasts";
import { cli } from "../workflows/actions/commands";
import { searchAttributesQuery } from "./queries";

const TYPES: Choices = [
  ["INDEXED_VALUE_TYPE_KEYWORD", "Keyword"],
  ["INDEXED_VALUE_TYPE_TEXT", "Text"],
  ["INDEXED_VALUE_TYPE_INT", "Int"],
  ["INDEXED_VALUE_TYPE_DOUBLE", "Double"],
  ["INDEXED_VALUE_TYPE_BOOL", "Bool"],
  ["INDEXED_VALUE_TYPE_DATETIME", "Datetime"],
  ["INDEXED_VALUE_TYPE_KEYWORD_LIST", "KeywordList"],
];

const typeName = (type: string): string => TYPES.find(([value]) => value === type)?.[1] ?? type;

interface Attribute {
  name: string;
  type: string;
}

const sorted = (attributes: Record<string, string>): Attribute[] =>
  Object.entries(attributes)
    .map(([name, type]) => ({ name, type }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));

const NAME: Column<Attribute> = {
  label: "Name",
  cell: ({ name }) => <span className="mono">{name}</span>,
};
const TYPE: Column<Attribute> = { label: "Type", cell: ({ type }) => typeName(type) };

/** The search attributes of a namespace, which can be added and removed. */
export function SearchAttributes({ namespace }: { namespace: string }) {
  const attributes = useQuery(searchAttributesQuery(namespace));
  const may = useMay();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<string | undefined>();
  return (
    <section className="card">
      <header className="card-header">
        <h2>Search attributes</h2>
        <span className="spacer" />
        <ActionButton refused={may("AddSearchAttributes")} onClick={() => setAdding(true)}>
          <Icon name="plus" /> Add search attribute
        </ActionButton>
      </header>
      <Loaded query={attributes}>
        {({ customAttributes = {}, systemAttributes = {} }) => (
          <div className="columns-2">
            <Group
              title="Of this namespace"
              attributes={sorted(customAttributes)}
              columns={[
                NAME,
                TYPE,
                {
                  label: "Actions",
                  cell: ({ name }) => (
                    <button
                      type="button"
                      className="icon-button"
                      aria-label={`Remove ${name}`}
                      title={`Remove ${name}`}
                      onClick={() => setRemoving(name)}
                    >
                      <Icon name="cross" />
                    </button>
                  ),
                },
              ]}
            />
            <Group
              title="Of every namespace"
              attributes={sorted(systemAttributes)}
              columns={[NAME, TYPE]}
            />
          </div>
        )}
      </Loaded>
      {adding && (
        <AddDialog
          namespace={namespace}
          known={Object.keys({
            ...attributes.data?.customAttributes,
            ...attributes.data?.systemAttributes,
          })}
          onClose={() => setAdding(false)}
        />
      )}
      {removing !== undefined && (
        <FormDialog
          title={`Remove ${removing}`}
          submit="Remove search attribute"
          danger
          cli={cli("operator", "search-attribute", "remove", "-n", namespace, "--name", removing)}
          run={() => change(namespace, ["remove"], [removing])}
          done={() => toast({ kind: "good", title: `${removing} was removed` })}
          onClose={() => setRemoving(undefined)}
        >
          <p>
            Lists can no longer be filtered by it, and workflows that set it fail. Workflows keep
            the values that they have.
          </p>
        </FormDialog>
      )}
    </section>
  );
}

/** The API has no path for these calls: the server has one for its pages. */
const change = (namespace: string, verb: string[], searchAttributes: unknown): Promise<unknown> =>
  post(within(namespace, "search-attributes", ...verb), { searchAttributes }, { forPages: true });

function Group({
  title,
  attributes,
  columns,
}: {
  title: string;
  attributes: Attribute[];
  columns: Column<Attribute>[];
}) {
  return (
    <section>
      <h3>{title}</h3>
      {attributes.length === 0 ? (
        <p className="faint">none</p>
      ) : (
        <ListTable
          caption={`Search attributes: ${title}`}
          rows={attributes}
          keyOf={({ name }) => name}
          columns={columns}
        />
      )}
    </section>
  );
}

function AddDialog({
  namespace,
  known,
  onClose,
}: {
  namespace: string;
  known: string[];
  onClose: () => void;
}) {
  const [name, setName] = useState("");
  const [type, setType] = useState("INDEXED_VALUE_TYPE_KEYWORD");
  const problem = known.includes(name)
    ? "There is one of this name already."
    : name === "" || /^[a-zA-Z][\w-]*$/.test(name)
      ? undefined
      : "a letter, and then letters, digits, hyphens and underscores";
  return (
    <FormDialog
      title="Add a search attribute"
      submit="Add search attribute"
      ready={problem === undefined}
      cli={cli(
        "operator",
        "search-attribute",
        "create",
        "-n",
        namespace,
        "--name",
        name || "NAME",
        "--type",
        typeName(type),
      )}
      run={() => change(namespace, [], { [name]: type })}
      done={() => toast({ kind: "good", title: `${name} was added` })}
      onClose={onClose}
    >
      <TextField label="Name" required error={problem} value={name} onChange={setName} />
      <ChoiceField label="Type" value={type} choices={TYPES} onChange={setType} />
    </FormDialog>
  );
}
