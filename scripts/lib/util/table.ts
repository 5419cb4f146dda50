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

/** Control and format characters, line separators, and lone surrogates: what is invisible, or changes other text. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Escapes invisible characters: a cell must neither drive the terminal nor hide something. */
function formatCell(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
}
