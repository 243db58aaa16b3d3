import type { NamePattern } from './template.ts';

/** What a template may know of a device. */
export interface DeviceNames {
  readonly id: string;
  readonly serialNumber: string | null;
  readonly identifiers: Readonly<Record<string, string>>;
}

/** Literal text, or the name of a device's identifier. */
export type PatternPart = string | { readonly identifier: string };

const placeholder = /\{device\.([A-Za-z][A-Za-z0-9_-]*)\}/u;

/** null where a brace is not part of a placeholder. */
export function parseNamePattern(pattern: NamePattern): readonly PatternPart[] | null {
  // Odd places of the split are what the capture group matched.
  const pieces = pattern.split(placeholder);
  if (pieces.some((piece, index) => index % 2 === 0 && /[{}]/u.test(piece))) return null;
  return pieces
    .map((piece, index) => (index % 2 === 0 ? piece : { identifier: piece }))
    .filter((part) => part !== '');
}

/** undefined where the device has no such identifier, or an empty one. */
export function identifierOf(device: DeviceNames, identifier: string): string | undefined {
  if (identifier === 'id') return device.id || undefined;
  if (identifier === 'serialNumber') return device.serialNumber || undefined;
  // Own properties only: {device.constructor} names nothing.
  return Object.hasOwn(device.identifiers, identifier)
    ? device.identifiers[identifier] || undefined
    : undefined;
}

/** The pattern with the device's identifiers in place, or the identifier that the device lacks. */
export function expandNamePattern(
  parts: readonly PatternPart[],
  device: DeviceNames,
): { readonly value: string } | { readonly missing: string } {
  let value = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      value += part;
      continue;
    }
    const inserted = identifierOf(device, part.identifier);
    if (inserted === undefined) return { missing: part.identifier };
    value += inserted;
  }
  return { value };
}
