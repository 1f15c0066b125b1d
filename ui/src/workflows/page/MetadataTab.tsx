import type { DescribeWorkflow, JsonObject } from "../../api/types";
import { searchAttributeText, stringFrom } from "../../payloads/decode";
import { Markdown } from "../../payloads/Markdown";
import { PayloadView } from "../../payloads/PayloadView";
import { Attributes } from "../history/Attributes";
import type { WorkflowMetadata } from "./queries";

/** What is attached to the run: search attributes, memo, and what its author wrote for people. */
export function MetadataTab({
  namespace,
  describe,
  metadata,
}: {
  namespace: string;
  describe: DescribeWorkflow;
  metadata: WorkflowMetadata | undefined;
}) {
  const info = describe.workflowExecutionInfo;
  const searchAttributes = Object.entries(info.searchAttributes?.indexedFields ?? {});
  const memo = Object.entries(info.memo?.fields ?? {});
  const details = stringFrom(describe.executionConfig?.userMetadata?.details);
  const settings: JsonObject = {
    workflowExecutionTimeout: describe.executionConfig?.workflowExecutionTimeout,
    workflowRunTimeout: describe.executionConfig?.workflowRunTimeout,
    defaultWorkflowTaskTimeout: describe.executionConfig?.defaultWorkflowTaskTimeout,
    versioningInfo: info.versioningInfo,
    workerDeploymentName: info.workerDeploymentName,
    buildId: info.mostRecentWorkerVersionStamp?.buildId,
    originalStartTime: describe.workflowExtendedInfo?.originalStartTime,
    lastResetTime: describe.workflowExtendedInfo?.lastResetTime,
    resetRunId: describe.workflowExtendedInfo?.resetRunId,
  };
  return (
    <div className="columns-2">
      <section className="card">
        <h3>Search attributes</h3>
        {searchAttributes.length === 0 ? (
          <p className="faint">none</p>
        ) : (
          <dl className="attributes">
            {searchAttributes.map(([name, payload]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{searchAttributeText(payload)}</dd>
              </div>
            ))}
          </dl>
        )}
      </section>
      <section className="card">
        <h3>Memo</h3>
        {memo.length === 0 ? (
          <p className="faint">none</p>
        ) : (
          <dl className="attributes">
            {memo.map(([name, payload]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <PayloadView namespace={namespace} payload={payload} />
                </dd>
              </div>
            ))}
          </dl>
        )}
      </section>
      <section className="card">
        <h3>Details</h3>
        {details === undefined ? <p className="faint">none</p> : <Markdown text={details} />}
        <h3>Current details</h3>
        {metadata?.currentDetails ? (
          <Markdown text={metadata.currentDetails} />
        ) : (
          <p className="faint">none, or no worker to ask</p>
        )}
      </section>
      <section className="card">
        <h3>Settings</h3>
        <Attributes namespace={namespace} value={settings} />
      </section>
    </div>
  );
}
