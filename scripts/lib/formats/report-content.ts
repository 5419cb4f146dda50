/** The longest body in a report, in bytes as decoded. A longer body is cut. */
export const BODY_BYTES = 64 * 1024;
/** Control characters that text may have: tab, line feed, form feed, carriage return, escape. */
const TEXT_CONTROLS = [9, 10, 12, 13, 27];

/** Bytes in a report: as text if possible, otherwise in Base64; neither if they are left out. */
export interface Content {
  /** The number of bytes, decoded. */
  bytes: number;
  text?: string;
  base64?: string;
  /** Whether the rest is missing. */
  cut?: boolean;
}

/** Whether a report has room for the bodies of a flow. */
export type Bodies = 'with bodies' | 'without bodies';

/** @param limit the number of bytes to show. */
export function toContent(bytes: Buffer, bodies: Bodies, limit: number, charset?: string): Content {
  if (bodies === 'without bodies' && bytes.length > 0) return { bytes: bytes.length };
  const cut = bytes.length > limit;
  const shown = bytes.subarray(0, limit);
  const text = decodeText(shown, cut, charset);
  return {
    bytes: bytes.length,
    ...(text === undefined ? { base64: shown.toString('base64') } : { text }),
    ...(cut && { cut }),
  };
}

/**
 * Decodes bytes as UTF-8, or otherwise in their charset.
 * @param isCut whether the last character may be incomplete.
 * @returns undefined for binary data: invalid, or with control characters that text does not have.
 */
function decodeText(bytes: Buffer, isCut: boolean, charset = 'utf-8'): string | undefined {
  if (bytes.some((byte) => byte < 32 && !TEXT_CONTROLS.includes(byte))) return undefined;
  for (const encoding of ['utf-8', charset]) {
    try {
      return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isCut });
    } catch {
      // Invalid in this charset, or the charset is unknown.
    }
  }
  return undefined;
}
