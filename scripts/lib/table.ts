import { printable } from './talk.ts';

/** Prints rows in columns of even width, three spaces apart, as kubectl does; the first row is the header. */
export function printTable(stream: NodeJS.WritableStream, rows: string[][]): void {
  const cells = rows.map((row) => row.map(printable));
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of cells) {
    stream.write(
      `${row
        .map((cell, column) => cell.padEnd((widths[column] ?? 0) + 3))
        .join('')
        .trimEnd()}\n`,
    );
  }
}
