import { printable } from './log.ts';

/** Prints rows in columns, three spaces apart, as kubectl does. The first row is the header. */
export function printTable(stream: NodeJS.WritableStream, rows: string[][]): void {
  stream.write(formatRows(rows).lines);
}

/**
 * Formats rows in columns, three spaces apart. A cell is always one line.
 * @param least the minimum widths of the columns.
 * @returns the lines, and the widths that were used.
 */
export function formatRows(rows: string[][], least: number[] = []): { lines: string; widths: number[] } {
  const cells = rows.map((row) => row.map(formatCell));
  const widths = (cells[0] ?? []).map((_, column) =>
    cells.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), least[column] ?? 0),
  );
  const lines = cells.map(
    (row) => `${row.map((cell, column) => cell.padEnd((widths[column] ?? 0) + 3)).join('')}`,
  );
  return { lines: lines.map((line) => `${line.trimEnd()}\n`).join(''), widths };
}

/** Replaces line ends and characters that change the direction of text. */
function formatCell(text: string): string {
  return printable(text).replace(/[\n\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '?');
}
