/**
 * Characters that are invisible or change the direction of text, and that JSON.stringify does not escape: DEL, C1 controls
 * and format characters, https://www.unicode.org/reports/tr44/#General_Category_Values.
 */
const INVISIBLE = /[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Formats a value as JSON that is safe to show on a terminal, and hides nothing. */
export function toVisibleJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    INVISIBLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
