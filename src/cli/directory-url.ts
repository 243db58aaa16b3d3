import type { Configuration } from '#config';
import { hostOf } from './enrollment-url.ts';

/** The ACME directory (RFC 8555 section 7.1.1) of a template; of several templates the one of all, whose profiles they are. null where no listener serves them at a known port. */
export function directoryUrl({ listeners }: Configuration, templates: readonly string[]): string | null {
  for (const listener of listeners) {
    if (listener.class !== 'enroll' || listener.port === 0) continue;
    const { acme } = listener.protocols;
    if (acme === undefined || !templates.every((name) => acme.templates.includes(name))) continue;
    const base = `https://${hostOf(listener.address)}:${listener.port}/acme`;
    return templates.length === 1 ? `${base}/${templates[0]}/directory` : `${base}/directory`;
  }
  return null;
}
