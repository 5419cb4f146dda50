const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Formats seconds as kubectl does, in two units at most: 45s, 3m12s, 4h, 2d3h. */
export function duration(seconds: number): string {
  const whole = Math.trunc(seconds);
  if (whole < -1) return '<invalid>';
  if (whole < 2 * MINUTE) return `${Math.max(0, whole)}s`;
  if (whole < 10 * MINUTE) return two(whole, MINUTE, 'm', 1, 's');
  if (whole < 3 * HOUR) return two(whole, MINUTE, 'm');
  if (whole < 8 * HOUR) return two(whole, HOUR, 'h', MINUTE, 'm');
  if (whole < 2 * DAY) return two(whole, HOUR, 'h');
  if (whole < 8 * DAY) return two(whole, DAY, 'd', HOUR, 'h');
  if (whole < 2 * YEAR) return two(whole, DAY, 'd');
  return whole < 8 * YEAR ? two(whole, YEAR, 'y', DAY, 'd') : two(whole, YEAR, 'y');
}

function two(seconds: number, unit: number, letter: string, rest?: number, restLetter?: string): string {
  const left = rest ? Math.trunc((seconds % unit) / rest) : 0;
  return `${Math.trunc(seconds / unit)}${letter}${left ? `${left}${restLetter}` : ''}`;
}

/** Formats how long ago a time is. */
export function since(time: string | null | undefined): string {
  return time ? duration((Date.now() - Date.parse(time)) / 1000) : '<unknown>';
}
