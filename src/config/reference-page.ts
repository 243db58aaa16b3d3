import * as z from 'zod';
import { settings } from './schema/settings.ts';

/** The part of JSON Schema that the schema of sallyport.yaml comes out as; `form` and `otherwise` are its own metadata. */
interface Shape {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Shape | boolean;
  readonly items?: Shape;
  readonly oneOf?: readonly Shape[];
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  /** What the type is called, instead of what it is made of. */
  readonly form?: string;
  /** What an absent value means. */
  readonly otherwise?: string;
}

interface Row {
  readonly key: string;
  readonly type: string;
  readonly otherwise: string;
  readonly meaning: string;
}

/** docs/configuration.md: every key with type, default and meaning, as the schema has them. */
export function renderReference(): string {
  const root = z.toJSONSchema(settings, { io: 'input', unrepresentable: 'any' }) as Shape;
  const sections = Object.entries(root.properties ?? {}).map(([key, shape]) => renderSection(key, shape));
  return `${[introduction, ...sections].join('\n\n')}\n`;
}

function renderSection(key: string, shape: Shape): string {
  const entry = entryOf(shape);
  const heading = `## ${key}\n\n${shape.description ?? ''}`;
  if (entry?.oneOf === undefined) return `${heading}\n\n${renderTable(rowsBelow(key, shape))}`;
  const variants = entry.oneOf.map((variant) => {
    const name = variant.properties?.['class']?.const ?? '';
    return `### ${key}: class ${name}\n\n${variant.description ?? ''}\n\n${renderTable(rowsBelow(`${key}.<name>`, variant))}`;
  });
  return [heading, ...variants].join('\n\n');
}

/** Rows of everything inside a map; a map of named entries counts as one map under `<name>`. */
function rowsBelow(prefix: string, shape: Shape): Row[] {
  const entry = entryOf(shape);
  if (entry !== undefined) {
    const name = `${prefix}.<name>`;
    if (entry.form === undefined) return rowsBelow(name, entry);
    return [{ key: name, type: entry.form, otherwise: '', meaning: entry.description ?? '' }];
  }
  const required = shape.required ?? [];
  return Object.entries(shape.properties ?? {}).flatMap(([key, part]) => {
    const path = `${prefix}.${key}`;
    const own = row(path, part, required.includes(key));
    if (part.form !== undefined) return [own];
    if (part.items !== undefined && part.items.form === undefined) {
      return [own, ...rowsBelow(`${path}[]`, part.items)];
    }
    return [own, ...rowsBelow(path, part)];
  });
}

function row(key: string, shape: Shape, required: boolean): Row {
  return {
    key,
    type: typeWords(shape),
    otherwise: defaultWords(shape, required),
    meaning: shape.description ?? '',
  };
}

function typeWords(shape: Shape): string {
  if (shape.form !== undefined) return shape.form;
  if (shape.const !== undefined) return code(shape.const);
  if (shape.enum !== undefined) return shape.enum.map(code).join(', ');
  if (shape.items !== undefined) return `list: ${typeWords(shape.items)}`;
  switch (shape.type) {
    case 'object':
      return entryOf(shape) === undefined ? 'map' : 'map of names';
    case 'integer':
      return `whole number, ${shape.minimum} to ${shape.maximum}`;
    case 'boolean':
      return 'true, false';
    default:
      return 'text';
  }
}

function defaultWords(shape: Shape, required: boolean): string {
  if (required) return '**required**';
  if (shape.otherwise !== undefined) return shape.otherwise;
  if (shape.default === undefined) return 'absent';
  // The parts of a map have their own defaults.
  const isEmptyMap = shape.type === 'object' && JSON.stringify(shape.default) === '{}';
  return isEmptyMap ? '' : code(flowYaml(shape.default));
}

function flowYaml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowYaml).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const parts = Object.entries(value).map(([key, part]) => `${key}: ${flowYaml(part)}`);
  return `{ ${parts.join(', ')} }`;
}

function entryOf(shape: Shape): Shape | undefined {
  return typeof shape.additionalProperties === 'object' ? shape.additionalProperties : undefined;
}

function renderTable(rows: readonly Row[]): string {
  const lines = rows.map(({ key, type, otherwise, meaning }) => {
    const cells = [code(key), type, otherwise, meaning].map((cell) => cell.replaceAll('|', '\\|'));
    return `| ${cells.join(' | ')} |`;
  });
  return ['| Key | Type | Default | Meaning |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

const code = (text: string) => `\`${text}\``;

const introduction = `\
# Configuration

<!-- Written by scripts/docs.ts from src/config/schema. Change it there, and run \`npm run docs\`. -->

\`sallyport.yaml\` is one YAML document of at most 1 MiB. Unknown keys are refused, and so are keys that stand twice,
anchors, aliases, merge keys, tags and directives. Each error names file, line, column and key. \`sallyport init\` writes
a first file with comments.

On SIGHUP the file is read again. Templates, device classes, limits, policies, secrets, approvals and the \`sources\` and
\`protocols\` of listeners, \`certificate\`, \`chain\` and \`issued\` of their \`tls\` and \`next\` of issuers change at once, and certificates and keys of
listeners are read again; anything else needs a restart. A file with a mistake leaves the running one in
force.

How values are written:

- **path**: counts from the folder of \`sallyport.yaml\` unless absolute.
- **duration**: a whole number and one unit: \`15s\`, \`30m\`, \`1h\`, \`90d\`.
- **rate**: \`{ burst: 10, count: 60, period: 1h }\`: 60 an hour, evenly, of which 10 may come at once.
- **secret**: \`{ file: PATH }\`, one line in a file that only its owner can read, or \`{ env: NAME }\`. Never the secret
  itself.
- **name pattern**: text with \`{device.id}\`, \`{device.serialNumber}\` or another identifier of the inventory, such as
  \`{device.dnsName}\` for its column \`dns_name\`.
- **range**: a DNS or mail domain with all below it, the beginning of a URI up to a \`/\` or \`:\`, or a CIDR.
- **attribute**: \`commonName\`, \`serialNumber\`, \`organizationName\` and the other types of X.520 by their names.
- **names** of entries: lower-case letters, digits and hyphens, at most 63, no hyphen first.`;
