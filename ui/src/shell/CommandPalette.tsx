import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { useMay } from "../access/useMay";
import { activeShortcuts } from "../kit/keys";
import { namespacesQuery } from "../namespaces/queries";
import { changeSettings } from "../settings/store";
import { workflowListQuery } from "../workflows/list/queries";
import { takeKeys } from "./early";
import { Picker, type PickerItem } from "./Picker";

/** Finds views, commands of the view that is open, namespaces, and workflows by id. */
export function CommandPalette({ namespace, onClose }: { namespace: string; onClose: () => void }) {
  const navigate = useNavigate();
  const namespaces = useQuery(namespacesQuery);
  const noStart = useMay(namespace)("StartWorkflowExecution");
  const workflows = useQuery(workflowListQuery(namespace, "", undefined));
  const items = useMemo<PickerItem[]>(() => {
    const commands = activeShortcuts().flatMap(({ title, shortcuts }) =>
      shortcuts
        .filter(({ keys }) => keys !== "mod+k")
        .map(({ keys, label, run }) => ({ id: `${title} ${keys}`, label, keys, hint: title, run })),
    );
    const start: PickerItem[] =
      noStart !== undefined
        ? []
        : [
            {
              id: "start",
              label: "Start a workflow",
              icon: "plus",
              run: () =>
                void navigate({
                  to: "/namespaces/$namespace/start-workflow",
                  params: { namespace },
                }),
            },
          ];
    const times = (["relative", "local", "utc"] as const).map((format) => ({
      id: `times ${format}`,
      label: `Show times ${format === "utc" ? "in UTC" : format === "local" ? "of this place" : "relative to now"}`,
      hint: "Settings",
      run: () => changeSettings({ times: format }),
    }));
    const recent = (workflows.data?.executions ?? []).map(({ execution, type }) => ({
      id: `workflow ${execution.runId}`,
      label: execution.workflowId,
      hint: type?.name,
      icon: "workflow" as const,
      run: () =>
        void navigate({
          to: "/namespaces/$namespace/workflows/$workflowId/$runId",
          params: { namespace, workflowId: execution.workflowId, runId: execution.runId ?? "" },
        }),
    }));
    const others = (namespaces.data ?? []).map(({ namespaceInfo: { name } }) => ({
      id: `namespace ${name}`,
      label: name,
      hint: "Namespace",
      icon: "box" as const,
      run: () =>
        void navigate({ to: "/namespaces/$namespace/workflows", params: { namespace: name } }),
    }));
    return [...commands, ...start, ...times, ...others, ...recent];
  }, [navigate, namespace, noStart, namespaces.data, workflows.data]);
  const more = (typed: string): PickerItem[] =>
    typed.length < 3 || /\s/.test(typed)
      ? []
      : [
          {
            id: "open",
            label: `Open workflow ${typed}`,
            hint: "by its id",
            icon: "right",
            run: () =>
              void navigate({
                to: "/namespaces/$namespace/workflows/$workflowId",
                params: { namespace, workflowId: typed },
              }),
          },
        ];
  return (
    <Picker
      title="Find anything"
      placeholder="A view, a command, a workflow id …"
      items={items}
      more={(typed) =>
        items.some((item) => item.label.toLowerCase().includes(typed.toLowerCase()))
          ? []
          : more(typed)
      }
      begin={takeKeys}
      onClose={onClose}
    />
  );
}
