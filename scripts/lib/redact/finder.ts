import type { SecretNames } from './names.ts';
import type { FindShapes } from './shapes.ts';
import type { Span } from './span.ts';

/** The kind of a text, if known: a form; code; or data without names, such as an image. */
export type Kind = 'form' | 'code' | 'nameless' | undefined;

/** Finds secrets in texts, which are bytes in Latin-1. The finders of each format call it for the texts inside. */
export interface Finder {
  names: SecretNames;
  findShapes: FindShapes;
  /** The secrets in a text, by name and by shape. They may overlap. */
  within: (text: string, kind?: Kind) => Span[];
  /** The secrets with a name: for a part of a text whose shapes have been found already. */
  named: (text: string) => Span[];
}
