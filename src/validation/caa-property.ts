import type { CaaRecord } from 'node:dns';

export interface CaaProperty {
  /** In lower case; empty where it cannot be told. */
  readonly tag: string;
  readonly critical: boolean;
  readonly value: string;
}

/** What `issue` and `issuewild` say (RFC 8659 section 4.2). */
export interface IssueValue {
  /** In lower case; empty: nobody. */
  readonly issuer: string;
  /** Tags in lower case; one may be there twice. */
  readonly parameters: readonly (readonly [tag: string, value: string])[];
}

const nobody: IssueValue = { issuer: '', parameters: [] };
const criticalFlag = 0x80;

/**
 * Node.js gives an object with its flags under `critical`, `CAA` under `type` and the value under the tag, up to its first zero octet. A property that is called
 * `critical` hides its own flags, and counts as critical.
 */
export function caaPropertyOf(record: CaaRecord): CaaProperty {
  const { critical, ...rest }: Record<string, unknown> = { ...record };
  const [[tag, value] = ['', ''], ...others] = Object.entries(rest).filter(
    ([name, text]) => name !== 'type' || text !== 'CAA',
  );
  return {
    tag: others.length === 0 ? tag.toLowerCase() : '',
    critical: typeof critical !== 'number' || (critical & criticalFlag) !== 0,
    value: String(value),
  };
}

const label = '[A-Za-z0-9](?:-*[A-Za-z0-9])*';
const issuePattern = new RegExp(`^[ \\t]*(${label}(?:\\.${label})*)?[ \\t]*(?:;(.*))?$`);
const parameterPattern = new RegExp(`^[ \\t]*(${label})[ \\t]*=[ \\t]*([!-:<-~]*)[ \\t]*$`);

/** RFC 8659 section 4.2: what does not match the grammar "MUST be treated the same as one specifying an empty issuer-domain-name". */
export function parseIssueValue(text: string): IssueValue {
  const [whole, issuer = '', tail = ''] = issuePattern.exec(text) ?? [];
  if (whole === undefined) return nobody;
  if (/^[ \t]*$/.test(tail)) return { issuer: issuer.toLowerCase(), parameters: [] };
  const parameters: [string, string][] = [];
  for (const part of tail.split(';')) {
    const [found, tag = '', value = ''] = parameterPattern.exec(part) ?? [];
    if (found === undefined) return nobody;
    parameters.push([tag.toLowerCase(), value]);
  }
  return { issuer: issuer.toLowerCase(), parameters };
}
