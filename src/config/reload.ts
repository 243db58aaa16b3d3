import { isDeepStrictEqual } from 'node:util';
import type { Configuration } from './configuration.ts';

/** What a changed file means for a running authority, as key paths: `templates.device`, `listeners.enroll.sources`. */
export interface ReloadPlan {
  /** Differences that can be put in force now. */
  readonly changed: string[];
  /** Differences that cannot: with any of these the running configuration stays whole, and the operator is told. */
  readonly needsRestart: string[];
}

/**
 * Compares two loaded configurations. What they refer to (policies, MAC keys, certificates) is not compared: it may
 * have changed behind the same path.
 */
export function reloadable(running: Configuration, next: Configuration): ReloadPlan {
  const changed = [
    ...differingNames('templates', running.templates, next.templates),
    ...differingNames('deviceClasses', running.deviceClasses, next.deviceClasses),
    ...differingNames('identities', running.identities, next.identities),
    ...differingKeys('staticChallenges', running.staticChallenges, next.staticChallenges),
    ...differingNames('workflows', running.workflows, next.workflows),
    ...differingKeys('attestation', running.attestation, next.attestation),
    ...differingKeys('validation', running.validation, next.validation),
    ...differingKeys('limits', running.limits, next.limits),
    ...differingKeys('secrets', running.secrets, next.secrets),
    ...differingKeys('approvals', running.approvals, next.approvals),
    ...differingKeys('policy', running.policy, next.policy),
  ];
  const needsRestart = [
    ...differingKeys('', { file: running.file }, { file: next.file }),
    ...differingKeys('authority', running.authority, next.authority),
    ...differingKeys('database', running.database, next.database),
    ...differingKeys('log', running.log, next.log),
  ];
  for (const path of [
    ...keysOfEntries('issuers', running.issuers, next.issuers),
    ...keysOfEntries('listeners', running.listeners, next.listeners),
  ]) {
    (atOnce.test(path) ? changed : needsRestart).push(path);
  }
  return { changed, needsRestart };
}

/** Of issuers and listeners. */
const atOnce =
  /^[^.]+\.[^.]+\.(?:next|sources|management|protocols|jamf|radius|ndes|tls\.(?:certificate|chain|issued))$/;

/** What comes or goes is named whole; what stays, key by key. */
function keysOfEntries<Entry extends { readonly name: string }>(
  section: string,
  running: readonly Entry[],
  next: readonly Entry[],
): string[] {
  return differingNames(section, running, next).flatMap((path) => {
    const name = path.slice(section.length + 1);
    const before = running.find((entry) => entry.name === name);
    const after = next.find((entry) => entry.name === name);
    if (before === undefined || after === undefined) return [path];
    return differingKeys(path, before, after).flatMap((key) => certificateKeys(key, before, after));
  });
}

/** Which certificate a listener has is asked anew at each reload; how it speaks TLS is not. */
function certificateKeys(path: string, before: object, after: object): string[] {
  if (!path.endsWith('.tls') || !hasTls(before) || !hasTls(after)) return [path];
  const keys = differingKeys(path, before.tls, after.tls);
  return keys.every((key) => /\.(?:certificate|chain|issued)$/.test(key)) ? keys : [path];
}

function hasTls(entry: object): entry is { readonly tls: object } {
  return 'tls' in entry && typeof entry.tls === 'object' && entry.tls !== null;
}

function differingNames<Entry extends { readonly name: string }>(
  section: string,
  running: readonly Entry[],
  next: readonly Entry[],
): string[] {
  return differingKeys(section, byName(running), byName(next));
}

const byName = <Entry extends { readonly name: string }>(entries: readonly Entry[]) =>
  Object.fromEntries(entries.map((entry) => [entry.name, entry]));

function differingKeys(section: string, running: object, next: object): string[] {
  const before = new Map<string, unknown>(Object.entries(running));
  const after = new Map<string, unknown>(Object.entries(next));
  const keys = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return keys
    .filter((key) => !isDeepStrictEqual(before.get(key), after.get(key)))
    .map((key) => (section === '' ? key : `${section}.${key}`));
}
