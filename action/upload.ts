import type { Job } from './job.ts';

/** An uploaded artifact. */
export interface Artifact {
  id: number;
  url: string;
  /** SHA-256, in hexadecimal. */
  digest: string;
}

/**
 * Uploads files as an artifact of the run.
 * @param root the folder to which the names in the artifact are relative.
 * @throws Error when the upload fails.
 */
export async function upload(job: Job, files: string[], root: string): Promise<Artifact> {
  const { ACTIONS_RUNTIME_TOKEN: token, GITHUB_SERVER_URL: server = 'https://github.com' } = process.env;
  if (!token) throw new Error('there is no token for uploads: this is not a step of a workflow on GitHub');
  if (!/^https:\/\/(github\.com|[^/]+\.ghe\.com)\/?$/i.test(server))
    throw new Error(`${server} is a GitHub Enterprise Server, which has an older artifact service`);
  // The client is large, and most jobs do not need it.
  const { DefaultArtifactClient } = await import('@actions/artifact');
  const { retentionDays } = job.inputs;
  const options = retentionDays === undefined ? {} : { retentionDays };
  const client = new DefaultArtifactClient();
  const send = async (name: string) => await client.uploadArtifact(name, files, root, options);
  const name = job.inputs.artifactName ?? artifactName(job, process.env);
  const { id, digest } = await send(name).catch(async (error: unknown) => {
    // A workflow that is called twice in a run has jobs with the same ids.
    if (job.inputs.artifactName !== undefined || !/already exists/.test(String(error))) throw error;
    return await send(`${name}-${formatMark(job)}`);
  });
  if (id === undefined) throw new Error('the artifact service gave no id');
  const { GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = process.env;
  return { id, url: `${server}/${repository}/actions/runs/${run}/artifacts/${id}`, digest: digest ?? '' };
}

/** A mark that differs between steps. */
function formatMark({ owner }: Pick<Job, 'owner'>): string {
  return owner.slice(-8);
}

/** The name of the artifact. It is unique in a run: it has the job, its place in a matrix, and the attempt. */
function artifactName({ inputs, owner }: Job, env: NodeJS.ProcessEnv): string {
  const { GITHUB_JOB: id = 'job', GITHUB_RUN_ATTEMPT: attempt = '1', GITHUB_ACTION: step = '' } = env;
  const { 'INPUT_JOB-INDEX': index = '', 'INPUT_JOB-TOTAL': total = '' } = env;
  const services = inputs.targets.map(({ service }) => service.replace('/', '.')).join('+');
  // GitHub gives a step without an id a numbered one: __OWNER_mittens_2.
  const [again] = /_(\d+)$/.exec(step)?.slice(1) ?? [];
  const parts = [
    'mittens',
    services.length > 100 ? `${services.slice(0, 90)}-${formatMark({ owner })}` : services,
    id,
    ...(Number(total) > 1 ? [index] : []),
    ...(again ? [`step-${again}`] : []),
    ...(attempt === '1' ? [] : [`attempt-${attempt}`]),
  ];
  return parts.join('-');
}
