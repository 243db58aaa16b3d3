/** What an XML property list can hold, as far as profiles need it. */
export type PropertyValue =
  | string
  | number
  | boolean
  | Uint8Array
  | readonly PropertyValue[]
  | { readonly [key: string]: PropertyValue };

const head = `\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
`;

/** Apple's PropertyList-1.0.dtd. Whole numbers only. */
export function renderPropertyList(value: PropertyValue): string {
  return `${head}${render(value, '')}</plist>\n`;
}

function render(value: PropertyValue, indent: string): string {
  if (typeof value === 'string') return `${indent}<string>${xmlText(value)}</string>\n`;
  if (typeof value === 'boolean') return `${indent}<${value}/>\n`;
  if (typeof value === 'number') return `${indent}<integer>${value}</integer>\n`;
  if (value instanceof Uint8Array) return element('data', base64Lines(value, indent), indent);
  const inside = `${indent}\t`;
  if (isList(value)) return element('array', value.map((item) => render(item, inside)).join(''), indent);
  const entries = Object.entries(value).map(
    ([key, item]) => `${inside}<key>${xmlText(key)}</key>\n${render(item, inside)}`,
  );
  return element('dict', entries.join(''), indent);
}

function isList(value: object): value is readonly PropertyValue[] {
  return Array.isArray(value);
}

function element(name: string, content: string, indent: string): string {
  return `${indent}<${name}>\n${content}${indent}</${name}>\n`;
}

function base64Lines(bytes: Uint8Array, indent: string): string {
  const lines = bytes.toBase64().match(/.{1,64}/g) ?? [];
  return lines.map((line) => `${indent}${line}\n`).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** XML 1.0 sections 2.2 and 2.4: what is no Char cannot be written even as a reference. */
export function xmlText(text: string): string {
  return text
    .replaceAll(/[^\t\n\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}')
    .replaceAll(/[&<>"']/g, (character) => entities[character]!);
}
