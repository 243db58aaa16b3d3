/**
 * SCEPStandard stands for the first of them; clients that are older than it look for those by name, and jscep and sscep fall back to DES and MD5 where they
 * find none. SHA-384 is no name of the RFC: by a mistake of strongSwan 5.9.8 its bit stands for AES and SHA-256.
 */
const standard = ['AES', 'POSTPKIOperation', 'Renewal', 'SHA-256', 'SHA-384', 'SHA-512', 'SCEPStandard'];

/**
 * The answer to GetCACaps (RFC 8894 section 3.5.2): a line for each. `legacyAlgorithms`: classes that may use what is weak. `nextAuthority`: whether there
 * is an answer to GetNextCACert.
 */
export function capabilities({
  legacyAlgorithms = [],
  nextAuthority,
}: {
  readonly legacyAlgorithms?: readonly string[] | undefined;
  readonly nextAuthority: boolean;
}): Uint8Array {
  const next = nextAuthority ? ['GetNextCACert'] : [];
  const legacy = legacyAlgorithms.length === 0 ? [] : ['SHA-1', 'DES3'];
  return Buffer.from([...standard, ...next, ...legacy].map((each) => `${each}\n`).join(''));
}
