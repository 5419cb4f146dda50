import { type Kubectl, KubectlError, SILENT } from './kubectl.ts';

/** Whether the user may create a subresource in this namespace: `pods`, `exec`. */
export async function mayCreate(kubectl: Kubectl, resource: string, subresource: string): Promise<boolean> {
  try {
    await kubectl.run(['auth', 'can-i', 'create', resource, `--subresource=${subresource}`, '--quiet']);
    return true;
  } catch (error) {
    // With --quiet the exit code says no; a message says that the question could not be asked.
    if (error instanceof KubectlError && error.message === SILENT) return false;
    throw error;
  }
}
