import vm from 'node:vm';

/** Thrown by limitTime. */
export class TimeLimitError extends Error {}

const context: { task?: () => void } = {};
let script: vm.Script | undefined;
let isRunning = false;

/**
 * Runs a synchronous task, and stops it after a time, even within a regular expression that backtracks forever. Starting
 * the clock takes 0.1 ms, so run many short tasks in one. A task within a task has the limit of the outer one.
 * @param ms the longest time the task may take.
 * @throws TimeLimitError if it takes longer. The task may have stopped anywhere.
 */
export function limitTime<T>(ms: number, task: () => T): T {
  if (isRunning) return task();
  let result: T | undefined;
  script ??= new vm.Script('task()');
  if (!vm.isContext(context)) vm.createContext(context);
  context.task = () => {
    result = task();
  };
  isRunning = true;
  try {
    script.runInContext(context, { timeout: ms });
    return result as T;
  } catch (error) {
    throw isTimeout(error) ? new TimeLimitError(`it took longer than ${ms} ms`) : error;
  } finally {
    isRunning = false;
    delete context.task;
  }
}

function isTimeout(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
