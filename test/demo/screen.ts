/** A terminal's screen at a moment, with its colours as escape sequences. */
export interface Frame {
  /** Since the beginning. */
  ms: number;
  screen: string;
  cursor?: { x: number; y: number };
}

/** The size of a character, in the units of the picture. */
const CELL = { width: 8.4, height: 18, font: 14 };
const PADDING = 14;
/** How long the last frame stays, and the longest that any other does, in ms. */
const LAST_MS = 3500;
const LONGEST_MS = 2500;
const FOREGROUND = '#d0d0d0';
const BACKGROUND = '#16181d';

interface Style {
  fg: string;
  bg: string | undefined;
  bold: boolean;
  underline: boolean;
  reverse: boolean;
}

const PLAIN: Style = { fg: FOREGROUND, bg: undefined, bold: false, underline: false, reverse: false };

/**
 * An animated SVG of a terminal. Only CSS moves it, so that it plays in an <img>; rows that stay are there once.
 */
export function render(frames: Frame[], { columns, rows }: { columns: number; rows: number }): string {
  const shown = timed(frames);
  const total = shown.reduce((sum, { ms }) => sum + ms, 0);
  const size = { width: columns * CELL.width + 2 * PADDING, height: rows * CELL.height + 2 * PADDING };
  const ids = new Map<string, string>();
  const drawn = shown.map(({ screen, cursor }) =>
    screen
      .split('\n')
      .slice(0, rows)
      .flatMap((line, row) => {
        const content = rowOf(line) + (cursor?.y === row ? cursorAt(cursor.x) : '');
        if (!content) return [];
        const id = ids.get(content) ?? `r${ids.size}`;
        ids.set(content, id);
        return [`<use href="#${id}" y="${row * CELL.height}"/>`];
      })
      .join(''),
  );
  let at = 0;
  const steps = shown.map(({ ms }) => {
    const [from, to] = [at, at + ms].map((time) => ((time / total) * 100).toFixed(3));
    at += ms;
    return { from, to };
  });
  const css = steps.map(({ from, to }, index) => {
    // Each holds until the next: step-end.
    const moments = [...(index > 0 ? ['0%{visibility:hidden}'] : []), `${from}%{visibility:visible}`];
    moments.push(index < steps.length - 1 ? `${to}%{visibility:hidden}` : '100%{visibility:visible}');
    return `@keyframes f${index}{${moments.join('')}}#f${index}{animation:f${index} ${total}ms step-end infinite}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="A Service is tapped, a request is looked at, the Service is restored">`,
    `<style>text{font:${CELL.font}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}g[id^=f]{visibility:hidden}${css.join('')}</style>`,
    `<defs>${[...ids].map(([content, id]) => `<g id="${id}">${content}</g>`).join('')}</defs>`,
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}" stroke="#444"/>`,
    `<g transform="translate(${PADDING} ${PADDING})">`,
    ...drawn.map((content, index) => `<g id="f${index}">${content}</g>`),
    '</g></svg>\n',
  ].join('\n');
}

/** Each screen once, with how long it is to be seen. */
function timed(frames: Frame[]): (Frame & { ms: number })[] {
  const changes = frames.filter(
    (frame, index) =>
      frame.screen !== frames[index - 1]?.screen || frame.cursor?.x !== frames[index - 1]?.cursor?.x,
  );
  return changes.map((frame, index) => {
    const next = changes[index + 1];
    return { ...frame, ms: next ? Math.min(next.ms - frame.ms, LONGEST_MS) : LAST_MS };
  });
}

// -- a row

function rowOf(line: string): string {
  let column = 0;
  let style = PLAIN;
  const parts: string[] = [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
  for (const [, codes, text = ''] of line.matchAll(/\x1b\[([\d;]*)m|([^\x1b]+)/g)) {
    if (codes !== undefined) style = styled(style, codes.split(';').map(Number));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what tmux sends to switch character sets
    const plain = text.replace(/[\x00-\x1f]/g, '');
    if (plain) parts.push(piece(plain, column, style));
    column += [...plain].length;
  }
  return parts.join('');
}

function piece(text: string, column: number, style: Style): string {
  const fg = style.reverse ? (style.bg ?? BACKGROUND) : style.fg;
  const bg = style.reverse ? style.fg : style.bg;
  const x = round(column * CELL.width);
  const width = round([...text].length * CELL.width);
  const box = bg ? `<rect x="${x}" width="${width}" height="${CELL.height}" fill="${bg}"/>` : '';
  if (!text.trim()) return box;
  const look = `${style.bold ? ' font-weight="bold"' : ''}${style.underline ? ' text-decoration="underline"' : ''}`;
  return `${box}<text x="${x}" y="13.5" fill="${fg}" textLength="${width}" xml:space="preserve"${look}>${escaped(text)}</text>`;
}

function cursorAt(x: number): string {
  return `<rect x="${round(x * CELL.width)}" width="${CELL.width}" height="${CELL.height}" fill="${FOREGROUND}" opacity=".7"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

// -- colours: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html, "Character Attributes"

const NAMED = ['#3b3f4a', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d0d0d0'];
const BRIGHT = ['#7f848e', '#ff7b86', '#b5e08f', '#ffd68a', '#7cc4ff', '#dc8ef5', '#6fd3df', '#ffffff'];

function styled(style: Style, codes: number[]): Style {
  const next = { ...style };
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index] ?? 0;
    if (code === 0) Object.assign(next, PLAIN);
    else if (code === 1) next.bold = true;
    else if (code === 22) next.bold = false;
    else if (code === 4 || code === 24) next.underline = code === 4;
    else if (code === 7 || code === 27) next.reverse = code === 7;
    else if (code === 39) next.fg = FOREGROUND;
    else if (code === 49) next.bg = undefined;
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(index + 1));
      if (code === 38) next.fg = colour;
      else next.bg = colour;
      index += used;
    } else if (code >= 30 && code <= 37) next.fg = NAMED[code - 30] ?? FOREGROUND;
    else if (code >= 40 && code <= 47) next.bg = NAMED[code - 40];
    else if (code >= 90 && code <= 97) next.fg = BRIGHT[code - 90] ?? FOREGROUND;
    else if (code >= 100 && code <= 107) next.bg = BRIGHT[code - 100];
  }
  return next;
}

/** A colour by its number among 256, or by its parts; and how many codes told it. */
function extended([kind, ...values]: number[]): [string, number] {
  if (kind === 2) return [hex(values.slice(0, 3)), 4];
  const number = values[0] ?? 0;
  if (number < 8) return [NAMED[number] ?? FOREGROUND, 2];
  if (number < 16) return [BRIGHT[number - 8] ?? FOREGROUND, 2];
  if (number >= 232) return [hex(Array(3).fill(8 + (number - 232) * 10)), 2];
  const cube = number - 16;
  const level = (value: number) => (value === 0 ? 0 : 55 + value * 40);
  return [hex([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level)), 2];
}

function hex(parts: number[]): string {
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}
