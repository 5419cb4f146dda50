import { execFile } from 'node:child_process';

/** What a finished process printed. */
export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, without a shell. */
export function execute(command: string, args: string[], input?: string): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) || 1 : 0, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}
