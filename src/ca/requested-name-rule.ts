import { BlockList, isIPv4 } from 'node:net';
import type { AlternativeName } from './alternative-name.ts';
import type { RequestedNameRule } from './template.ts';

/** The name is in canonical form. A rule that makes no sense admits nothing. */
export function ruleAdmits(rule: RequestedNameRule, name: AlternativeName): boolean {
  if (rule.kind !== name.kind || rule.within === '') return false;
  switch (name.kind) {
    case 'dns': {
      const within = rule.within.toLowerCase();
      const isWildcard = name.value.startsWith('*.');
      if (isWildcard && rule.wildcard !== true) return false;
      return name.value === within || name.value.endsWith(`.${within}`);
    }
    case 'email':
      return name.value.endsWith(`@${rule.within.toLowerCase()}`);
    case 'uri':
      return uriIsWithin(name.value, rule.within);
    case 'ip':
      return addressIsWithin(name.value, rule.within);
  }
}

/**
 * Where the rule stops inside the authority (`https://corp.example`), the authority must end there: neither
 * `https://corp.example.evil.test/` nor `https://corp.example@evil.test/` is within.
 */
function uriIsWithin(uri: string, within: string): boolean {
  if (!uri.startsWith(within)) return false;
  const authorityOpen = /^[^:/?#]+:\/\/[^/?#]*$/u.test(within);
  return !authorityOpen || uri.length === within.length || /[/?#]/u.test(uri.charAt(within.length));
}

/** An IPv6 address is never inside an IPv4 range, also not one that maps an IPv4 address. */
function addressIsWithin(address: string, within: string): boolean {
  const [network = '', prefix = '', ...rest] = within.split('/');
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  if (rest.length > 0 || isIPv4(network) !== isIPv4(address) || !/^[0-9]{1,3}$/u.test(prefix)) return false;
  const range = new BlockList();
  try {
    range.addSubnet(network, Number(prefix), family);
  } catch {
    return false;
  }
  return range.check(address, family);
}
