/** What one import or re-export asks for. */
export interface Import {
  readonly line: number;
  readonly specifier: string;
  /** `import type` or `export type`. An inline `import { type X }` is none: it still loads the module. */
  readonly typeOnly: boolean;
  /** `* as name` or `export *`. */
  readonly everything: boolean;
  readonly dynamic: boolean;
}

export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  /** How many lines it has. */
  readonly lines: number;
  /** The text with comments, and what is inside of quotes and regular expressions, turned to blanks. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export function readSource(path: string, text: string): SourceFile {
  const uncommented = blank(text, ['comment']);
  return {
    path,
    lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    code: blank(text, ['comment', 'quoted', 'expression']),
    imports: [...staticImports(uncommented), ...dynamicImports(uncommented)],
  };
}

/** The line of an offset in `code` (blanking keeps each line where it was). */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Template literals are kept, since code may stand in them; so is a string or expression while only comments are blanked. */
const token = new RegExp(
  [
    String.raw`(?<comment>\/\*[\s\S]*?\*\/|\/\/[^\n]*)`,
    String.raw`(?<quoted>'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*")`,
    '(?<template>`(?:\\\\[\\s\\S]|[^`\\\\])*`)',
    String.raw`(?<expression>(?<=(?:^|[=(,:[!&|?{};>]|\breturn|\bcase)\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*)`,
  ].join('|'),
  'gm',
);

function blank(text: string, kinds: readonly ('comment' | 'quoted' | 'expression')[]): string {
  let blanked = '';
  let end = 0;
  for (const match of text.matchAll(token)) {
    const hidden = kinds.some((kind) => match.groups?.[kind] !== undefined);
    blanked += text.slice(end, match.index) + (hidden ? match[0].replaceAll(/[^\n]/g, ' ') : match[0]);
    end = match.index + match[0].length;
  }
  return blanked + text.slice(end);
}

const staticImport =
  /^[ \t]*(?<verb>import|export)\b(?:\s+(?<type>type)(?=\s+[\w$*{]))?\s*(?:(?<clause>[\w$\s*{},]+?)\s*\bfrom\s*)?(?<quote>['"])(?<specifier>[^'"\n]+)\k<quote>/gm;

function* staticImports(text: string): Generator<Import> {
  for (const { index, groups } of text.matchAll(staticImport)) {
    const { verb, type, clause = '', specifier = '' } = groups ?? {};
    if (verb === 'export' && clause === '') continue;
    yield {
      line: lineOf(text, index),
      specifier,
      typeOnly: type !== undefined,
      everything: clause.includes('*'),
      dynamic: false,
    };
  }
}

function* dynamicImports(text: string): Generator<Import> {
  for (const { index, groups } of text.matchAll(
    /\bimport\s*\(\s*(?:(?<quote>['"`])(?<specifier>[^'"`$\n]+)\k<quote>)?/g,
  )) {
    yield {
      line: lineOf(text, index),
      specifier: groups?.['specifier'] ?? '',
      typeOnly: false,
      everything: true,
      dynamic: true,
    };
  }
}
