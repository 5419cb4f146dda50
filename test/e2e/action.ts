import { rmSync } from 'node:fs';
import { ArtifactService } from '../action/artifact-service.ts';
import { type JobOptions, RunnerJob } from '../action/runner.ts';
import { Namespace } from './namespace.ts';

/** Two Services to tap by the Action, web and other, and what GitHub has for it. */
export class ActionStage {
  readonly shop = new Namespace();
  readonly service = `${this.shop.name}/web`;
  readonly objects = ['service/web', 'deployment/web', 'service/other', 'deployment/other'];
  readonly artifacts: ArtifactService;
  readonly #jobs: RunnerJob[] = [];

  private constructor(artifacts: ArtifactService) {
    this.artifacts = artifacts;
  }

  static async set(): Promise<ActionStage> {
    const stage = new ActionStage(await ArtifactService.start());
    const { shop } = stage;
    await shop.create();
    for (const name of ['web', 'other']) {
      await shop.app({ name, podSpec: { terminationGracePeriodSeconds: 5 } });
      await shop.service(name, [{ port: 80, targetPort: 8080 }]);
    }
    return stage;
  }

  /** A job that uses the Action, on web if the inputs do not say otherwise. */
  job(inputs: Record<string, string>, options: JobOptions = {}): RunnerJob {
    const env = { ...this.artifacts.env, ...options.env };
    const job = new RunnerJob({ service: this.service, ...inputs }, { ...options, env });
    this.#jobs.push(job);
    return job;
  }

  async snapshot(): Promise<object[]> {
    return await this.shop.snapshot(...this.objects);
  }

  /** A shell's command that sends a request from inside the cluster, until it goes by a proxy. */
  async requestCommand(path: string): Promise<string> {
    const exec = `kubectl -n ${this.shop.name} exec client -- node /code/ask.mjs`;
    const url = `${await this.shop.url('web')}${path}`;
    return `until ${exec} "${url}" | grep -q 'proxied[^a-z]*true'; do sleep 0.2; done`;
  }

  async clear(): Promise<void> {
    for (const { temp } of this.#jobs) rmSync(temp, { recursive: true, force: true });
    await this.artifacts.stop();
    await this.shop.delete();
  }
}
