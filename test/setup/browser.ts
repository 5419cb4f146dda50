import { installPackages } from './packages.ts';
import { findProgram } from './program.ts';

/** Browsers that speak Chromium's protocol, by the names that distributions give them. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * Finds a browser, or installs Chromium where that goes by itself. Without one the tests of the HTML report are left
 * out, and say so by their names: it is large, and not all distributions have it.
 * @returns the path of its program, if there is one.
 */
export async function provideBrowser(signal: AbortSignal): Promise<string | undefined> {
  const find = () => NAMES.map(findProgram).find(Boolean);
  if (!process.env.CHROME && !find()) await installPackages(['chromium'], signal);
  return process.env.CHROME || find();
}
