/** What a column holds: a field of every device, or another identifier under its name. */
export type Column =
  | { readonly field: 'id' | 'serialNumber' | 'deviceClass' | 'owner' | 'state' }
  | { readonly identifier: string };

const fields: ReadonlyMap<string, Column> = new Map<string, Column>([
  ['id', { field: 'id' }],
  ['serialNumber', { field: 'serialNumber' }],
  ['class', { field: 'deviceClass' }],
  ['deviceClass', { field: 'deviceClass' }],
  ['owner', { field: 'owner' }],
  ['state', { field: 'state' }],
]);

/**
 * `dns_name` and `dnsName` alike: templates name it as {device.dnsName}. null for a name that no template could write,
 * or that every JavaScript object has anyhow.
 */
export function columnOf(name: string): Column | null {
  if (name.length > 64 || !/^[a-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*$/.test(name)) return null;
  const camelCase = name.replaceAll(/_([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  if (camelCase in Object.prototype) return null;
  return fields.get(camelCase) ?? { identifier: camelCase };
}

/** One key for columns that mean the same. */
export function columnKey(column: Column): string {
  return 'field' in column ? column.field : column.identifier;
}

export const columnRule =
  'a column name begins with a lower-case letter and has letters, digits and single underscores, at most 64, such as dns_name';
