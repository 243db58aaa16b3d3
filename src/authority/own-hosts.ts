import { isIP } from 'node:net';
import { formatIpAddress, type GeneralName, parseIpAddress } from '#x509';

/** Whether a Host header (RFC 9110 section 7.2) is a name of a listener: one that its certificate has, at whatever port it is reached. */
export function isHostOf(host: string, names: readonly GeneralName[]): boolean {
  const [, bracketed, plain] =
    /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9.-]{1,253}))(?::[0-9]{1,5})?$/.exec(host) ?? [];
  const name = bracketed ?? plain?.toLowerCase();
  if (name === undefined) return false;
  if (isIP(name) !== 0) {
    const address = formatIpAddress(parseIpAddress(name));
    return names.some(({ kind, value }) => kind === 'ip' && value === address);
  }
  // RFC 9525 section 6.3: an asterisk stands for one label, the first.
  const parent = name.includes('.') ? `*${name.slice(name.indexOf('.'))}` : null;
  return names.some(({ kind, value }) => {
    const own = kind === 'dns' ? value.toLowerCase() : null;
    return own !== null && (own === name || own === parent);
  });
}
