import type { Configuration } from '#config';

/** Where a device enrolls for the template over EST (RFC 7030 section 3.2.2); null where no listener serves it at a known port. */
export function enrollmentUrl({ listeners }: Configuration, template: string): string | null {
  for (const listener of listeners) {
    if (listener.class !== 'enroll' || listener.port === 0) continue;
    if (listener.protocols.est?.templates.includes(template) !== true) continue;
    return `https://${hostOf(listener.address)}:${listener.port}/.well-known/est/${template}/simpleenroll`;
  }
  return null;
}

export function hostOf(address: string): string {
  // All addresses of the machine: only its operator knows the name that devices have for it.
  if (address === '0.0.0.0' || address === '::') return 'localhost';
  return address.includes(':') ? `[${address}]` : address;
}
