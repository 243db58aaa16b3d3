import {
  LineCounter,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type Node,
  type Pair,
  type ParsedNode,
  type YAMLError,
} from 'yaml';
import { locate, pathAt } from './yaml-position.ts';
import type { KeyPath, Position, Problem } from './problem.ts';

/** sallyport.yaml as plain maps, lists and scalars, with the place of each. */
export interface YamlSource {
  /** Maps have no prototype. Undefined when there are problems. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** `key`: of the key itself. `value`: of what is written there. The nearest thing that exists, for what does not. */
  positionOf(path: KeyPath, part: 'key' | 'value'): Position;
}

/** sallyport.yaml is about eight levels deep. */
const maximumDepth = 24;

/**
 * One document of YAML 1.2, and of that the part that reads the same to everyone: no anchors, aliases and merge keys
 * (what a listener or template says stands in its place), no tags, no directives, each key once.
 */
export function parseYamlSource(text: string): YamlSource {
  const lines = new LineCounter();
  // prettyErrors would quote the source line, which may hold a secret. Duplicate keys are found below: the library
  // compares each key with each other one.
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
    version: '1.2',
    schema: 'core',
    merge: false,
  });
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems: Problem[] = [];
  const refuse = (path: KeyPath, offset: number, message: string) =>
    problems.push({ path, ...position(offset), message });

  for (const error of [...document.errors, ...document.warnings]) {
    if (problems.length >= 100) break;
    // Tags are refused below, in words of our own.
    if (error.code === 'TAG_RESOLVE_FAILED') continue;
    const offset = error.pos[0];
    refuse(pathAt(document.contents, offset), offset, syntaxMessage(error));
  }
  if (hasDirectives(document)) refuse([], 0, 'YAML directives (%YAML, %TAG) are not used here');
  const value = new PlainValue(text, refuse).of(document.contents, [], 0);
  return {
    value: problems.length === 0 ? value : undefined,
    problems,
    positionOf: (path, part) => position(locate(document.contents, path, part)),
  };
}

type Refuse = (path: KeyPath, offset: number, message: string) => void;

/** Turns nodes to values and refuses, on the way, what may not be in the file. */
class PlainValue {
  readonly #text: string;
  readonly #refuse: Refuse;

  constructor(text: string, refuse: Refuse) {
    this.#text = text;
    this.#refuse = refuse;
  }

  of(node: Node | null, path: KeyPath, depth: number): unknown {
    if (node === null) return null;
    const offset = node.range?.[0] ?? 0;
    if (isAlias(node)) return this.#refuse(path, offset, 'YAML aliases are refused: write the value here');
    if (!isScalar(node) && !isCollection(node)) return this.#refuse(path, offset, 'cannot be read');
    this.#refuseProperties(node, path, offset);
    if (isScalar(node)) return node.value;
    if (depth >= maximumDepth) {
      return this.#refuse(path, offset, `nested more than ${maximumDepth} levels deep`);
    }
    if (isSeq(node)) return node.items.map((item, index) => this.#item(item, [...path, index], depth));
    if (isMap(node)) return this.#map(node.items, path, depth);
    return undefined;
  }

  /** They stand right before their node; the library keeps only the place of the node. */
  #refuseProperties({ anchor, tag }: { anchor?: string; tag?: string }, path: KeyPath, offset: number): void {
    if (anchor !== undefined) {
      const at = this.#text.lastIndexOf(`&${anchor}`, offset);
      this.#refuse(path, at, 'YAML anchors are refused: write each value where it belongs');
    }
    if (tag !== undefined) {
      let at = this.#text.lastIndexOf('!', offset);
      while (this.#text[at - 1] === '!') at -= 1;
      this.#refuse(path, at, 'YAML tags are refused');
    }
  }

  /** In a flow sequence, `[a: b]` is a pair without braces. */
  #item(item: unknown, path: KeyPath, depth: number): unknown {
    if (isPair(item)) return this.#map([item], path, depth + 1);
    return this.of(item as Node | null, path, depth + 1);
  }

  #map(pairs: readonly Pair[], path: KeyPath, depth: number): Record<string, unknown> {
    const map = Object.create(null) as Record<string, unknown>;
    for (const pair of pairs) {
      const key = pair.key as ParsedNode | null;
      const offset = key?.range[0] ?? 0;
      if (!isScalar(key) || typeof key.value !== 'string') {
        this.#refuse(path, offset, 'a key is a plain word');
        continue;
      }
      const name = key.value;
      const here = [...path, name];
      this.#refuseProperties(key, here, offset);
      if (name === '<<') {
        this.#refuse(here, offset, 'YAML merge keys are refused: write each key where it belongs');
      }
      // zod drops this key without a word.
      if (name === '__proto__') this.#refuse(here, offset, 'unknown key');
      if (name in map) this.#refuse(here, offset, 'this key stands here a second time');
      map[name] = this.of(pair.value as Node | null, here, depth + 1);
    }
    return map;
  }
}

/** A message of the library without the source text that some of them quote, which may be a secret. */
function syntaxMessage({ code, message }: YAMLError): string {
  if (code === 'MULTIPLE_DOCS') return 'one YAML document, not several';
  if (code === 'RESOURCE_EXHAUSTION') return `nested more than ${maximumDepth} levels deep`;
  // Of what these say, all is the library's own.
  const words = code === 'MISSING_CHAR' ? message : (message.split(/[:"\\\n]/, 1)[0] ?? '');
  return `not YAML: ${words.trim()}`;
}

function hasDirectives(document: Document): boolean {
  const { yaml, tags } = document.directives ?? {};
  return yaml?.explicit === true || Object.keys(tags ?? {}).some((handle) => handle !== '!!');
}
