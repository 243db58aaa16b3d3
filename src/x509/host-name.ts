const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/u;

/** The one spelling in which a host name is compared and certified; null where the text is none. */
export function canonicalHostName(text: string): string | null {
  const host = lowerCase(text);
  return isHostName(host) ? host : null;
}

/**
 * RFC 5280 section 4.2.1.6: "preferred name syntax" of RFC 1034 section 3.5, as RFC 1123 modified it. Lower case, no
 * trailing dot, no wildcard, and no IPv4 address in disguise.
 */
function isHostName(value: string): boolean {
  if (value.length === 0 || value.length > 253) return false;
  const labels = value.split('.');
  return labels.every((part) => label.test(part)) && !/^[0-9]+$/u.test(labels.at(-1) ?? '');
}

/** ASCII letters only: toLowerCase would make a `k` of the Kelvin sign. */
function lowerCase(value: string): string {
  return value.replace(/[A-Z]+/gu, (letters) => letters.toLowerCase());
}
