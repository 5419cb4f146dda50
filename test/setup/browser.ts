import { installPackages } from './packages.ts';
import { findProgram } from './program.ts';

/** The names under which distributions install Chromium or Chrome. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * Finds a browser, or installs Chromium if no password is needed for that. Without one the tests that need it are
 * skipped: it is large, and not all distributions have it.
 * @returns the path of its program, if there is one.
 */
export async function provideBrowser(signal: AbortSignal): Promise<string | undefined> {
  const find = () => NAMES.map(findProgram).find(Boolean);
  if (!process.env.CHROME && !find()) await installPackages(['chromium'], signal);
  return process.env.CHROME || find();
}
