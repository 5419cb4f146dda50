import type { KubeObject } from '../objects/object.ts';
import type { Resource } from '../objects/resource.ts';
import { duration } from './age.ts';
import { AGE, CONTAINERS, NAME, SELECTOR } from './columns.ts';
import { setJobDefaults, validateJob } from './job-rules.ts';
import { CONDITIONS, LABEL_SELECTOR, POD_TEMPLATE } from './pod-spec.ts';

export const jobs: Resource = {
  plural: 'jobs',
  kind: 'Job',
  group: 'batch',
  version: 'v1',
  namespaced: true,
  shortNames: [],
  inAll: true,
  subresources: ['status'],
  schema: {
    spec: {
      fields: {
        parallelism: 'int',
        completions: 'int',
        backoffLimit: 'int',
        completionMode: 'string',
        suspend: 'bool',
        selector: LABEL_SELECTOR,
        manualSelector: 'bool',
        template: POD_TEMPLATE,
      },
    },
    status: {
      fields: {
        conditions: CONDITIONS,
        startTime: 'string',
        completionTime: 'string',
        active: 'int',
        ready: 'int',
        succeeded: 'int',
        failed: 'int',
        terminating: 'int',
      },
    },
  },
  setDefaults: setJobDefaults,
  validate: validateJob,
  columns: [
    NAME,
    { name: 'Status', cell: formatStatus },
    { name: 'Completions', cell: formatCompletions },
    { name: 'Duration', cell: formatDuration },
    AGE,
    ...CONTAINERS,
    SELECTOR,
  ],
  fieldSelectors: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
};

/** The most telling of the states that a Job may be in. */
function formatStatus({ metadata, status }: KubeObject): string {
  const conditions: { type: string; status: string }[] = status?.conditions ?? [];
  const holds = (type: string) => conditions.some((one) => one.type === type && one.status === 'True');
  const found = ['Complete', 'Failed'].find(holds);
  if (found) return found;
  if (metadata.deletionTimestamp) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(holds) ?? 'Running';
}

function formatCompletions({ spec, status }: KubeObject): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  return spec.parallelism > 1 ? `${succeeded}/1 of ${spec.parallelism}` : `${succeeded}/1`;
}

function formatDuration({ status }: KubeObject): string {
  const { startTime, completionTime } = status ?? {};
  if (!startTime) return '';
  const end = completionTime ? Date.parse(completionTime) : Date.now();
  return duration((end - Date.parse(startTime)) / 1000);
}
