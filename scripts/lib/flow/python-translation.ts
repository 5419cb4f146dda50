/** Flags of Python's re module. */
export interface RegexOptions {
  /** A pattern of bytes, which are searched as Latin-1. `\w`, `\s` and `\d` are then ASCII. */
  bytes?: boolean;
  ignoreCase?: boolean;
  multiline?: boolean;
  dotAll?: boolean;
}

/**
 * Python ignores the case of bytes only in ASCII, JavaScript also in Latin-1. So bytes above ASCII become characters
 * without case, in the pattern and in the text: the private use area, https://www.unicode.org/charts/PDF/UE000.pdf.
 */
export const PRIVATE_USE = 0xe000;

const START = '(?<![\\s\\S])';
const END = '(?![\\s\\S])';
const SYNTAX = '^$\\.*+?()[]{}|/';
/** Python's character classes. JavaScript's `\s` differs, and its `\w` has only ASCII letters. */
const BYTE_CLASSES: Record<string, string> = { s: ' \\t\\n\\r\\f\\v', w: 'A-Za-z0-9_', d: '0-9' };
const TEXT_CLASSES: Record<string, string> = {
  s: '\\s\\x1c-\\x1f\\x85',
  w: '\\p{L}\\p{N}_',
  d: '\\p{Nd}',
};
const ESCAPES: Record<string, string> = { a: '\\x07', f: '\\f', n: '\\n', r: '\\r', t: '\\t', v: '\\v' };

/** Translates the source of a regular expression token by token. */
export class Translation {
  readonly #source: string;
  readonly #bytes: boolean;
  #ignoreCase: boolean;
  #multiline: boolean;
  #dotAll: boolean;
  #isShifted = false;
  #at = 0;

  constructor(source: string, options: RegexOptions) {
    this.#source = source;
    this.#bytes = options.bytes ?? false;
    this.#ignoreCase = options.ignoreCase ?? false;
    this.#multiline = options.multiline ?? false;
    this.#dotAll = options.dotAll ?? false;
  }

  run(): { pattern: string; ignoreCase: boolean; isShifted: boolean } {
    let pattern = '';
    this.#globalFlags();
    while (this.#at < this.#source.length) pattern += this.#token();
    return { pattern, ignoreCase: this.#ignoreCase, isShifted: this.#isShifted };
  }

  /** Consumes a match, if there is one. */
  #take(regex: RegExp): RegExpExecArray | undefined {
    const found = regex.exec(this.#source.slice(this.#at));
    if (found) this.#at += found[0].length;
    return found ?? undefined;
  }

  #globalFlags(): void {
    const [, flags = ''] = this.#take(/^\(\?([a-zA-Z]+)\)/) ?? [];
    for (const flag of flags) {
      if (flag === 'i') this.#ignoreCase = true;
      else if (flag === 'm') this.#multiline = true;
      else if (flag === 's') this.#dotAll = true;
      else if (flag !== 'a' && flag !== 'u') throw new SyntaxError(`: the flag ${flag} is not supported`);
    }
  }

  #token(): string {
    return this.#group() ?? this.#counted() ?? this.#char(this.#source[this.#at++] ?? '');
  }

  /** A quantifier in braces; anything else in braces stands for itself. */
  #counted(): string | undefined {
    const quantifier = this.#take(/^\{(\d*)(,?)(\d*)\}/);
    if (!quantifier) return undefined;
    const [all, from, comma, to] = quantifier;
    return from || to ? `{${from || '0'}${comma}${to}}` : all.replace(/[{}]/g, '\\$&');
  }

  #char(char: string): string {
    switch (char) {
      case '\\':
        return this.#escape(false);
      case '[':
        return this.#charClass();
      case '.':
        return this.#dotAll ? '[\\s\\S]' : '[^\\n]';
      case '^':
        return this.#multiline ? '(?<![^\\n])' : START;
      case '$':
        return this.#multiline ? '(?![^\\n])' : `(?=\\n?${END})`;
      case '{':
      case '}':
      case ']':
        return `\\${char}`;
      default:
        if ('*+?'.includes(char) && this.#source[this.#at] === '+')
          throw new SyntaxError(': possessive quantifiers are not supported');
        return this.#plain(char);
    }
  }

  #group(): string | undefined {
    const named = this.#take(/^\(\?P<([A-Za-z_]\w*)>/);
    if (named) return `(?<${named[1]}>`;
    const same = this.#take(/^\(\?P=([A-Za-z_]\w*)\)/);
    if (same) return `\\k<${same[1]}>`;
    if (this.#take(/^\(\?#[^)]*\)/)) return '';
    const plain = this.#take(/^\(\?(:|=|!|<=|<!)/);
    if (plain) return plain[0];
    const [other] = this.#take(/^\(\?[^)]{0,5}/) ?? [];
    if (other) throw new SyntaxError(`: the group ${other} is not supported`);
    return undefined;
  }

  #escape(inClass: boolean): string {
    const hex =
      this.#take(/^x([0-9a-fA-F]{2})/) ?? (this.#bytes ? undefined : this.#take(/^u([0-9a-fA-F]{4})/));
    if (hex) return this.#code(Number.parseInt(hex[1] ?? '', 16));
    const long = this.#bytes ? undefined : this.#take(/^U([0-9a-fA-F]{8})/);
    if (long) return `\\u{${long[1]}}`;
    const octal = this.#take(inClass ? /^([0-7]{1,3})/ : /^(0[0-7]{0,2}|[0-3][0-7]{2})/);
    if (octal) return this.#code(Number.parseInt(octal[1] ?? '', 8));
    const reference = inClass ? undefined : this.#take(/^[1-9]\d?/);
    // The group keeps a following digit out of the reference.
    if (reference) return `(?:\\${reference[0]})`;
    const char = this.#source[this.#at++];
    if (char === undefined) throw new SyntaxError(': it ends with a backslash');
    return this.#letter(char, inClass);
  }

  /** A character that stands for itself. */
  #plain(char: string): string {
    return char >= '\x80' ? this.#code(char.codePointAt(0) ?? 0) : char;
  }

  #code(code: number): string {
    const isShifted = this.#bytes && this.#ignoreCase && code >= 0x80 && code <= 0xff;
    if (isShifted) this.#isShifted = true;
    return `\\u{${(isShifted ? PRIVATE_USE + code : code).toString(16)}}`;
  }

  #letter(char: string, inClass: boolean): string {
    const classes = this.#bytes ? BYTE_CLASSES : TEXT_CLASSES;
    const members = Object.hasOwn(classes, char.toLowerCase()) ? classes[char.toLowerCase()] : undefined;
    if (members !== undefined) return this.#members(char, members, inClass);
    if (Object.hasOwn(ESCAPES, char)) return ESCAPES[char] as string;
    if (char === 'b') return inClass ? '\\x08' : '\\b';
    if (!inClass && char === 'B') return '\\B';
    if (!inClass && char === 'A') return START;
    if (!inClass && char === 'Z') return END;
    if (/[A-Za-z0-9]/.test(char)) throw new SyntaxError(`: \\${char} is not an escape`);
    return SYNTAX.includes(char) || (inClass && char === '-') ? `\\${char}` : this.#plain(char);
  }

  #members(char: string, members: string, inClass: boolean): string {
    const isNegated = char !== char.toLowerCase();
    if (!inClass) return `[${isNegated ? '^' : ''}${members}]`;
    if (!isNegated) return members;
    if (this.#bytes || char === 'S') return `\\${char}`;
    throw new SyntaxError(`: \\${char} within [] is not supported`);
  }

  #charClass(): string {
    let out = this.#take(/^\^/) ? '[^' : '[';
    for (let first = true; ; first = false) {
      const char = this.#source[this.#at++];
      if (char === undefined) throw new SyntaxError(': a [ is not closed');
      if (char === ']' && !first) return `${out}]`;
      out += char === '\\' ? this.#escape(true) : '[]'.includes(char) ? `\\${char}` : this.#plain(char);
    }
  }
}
